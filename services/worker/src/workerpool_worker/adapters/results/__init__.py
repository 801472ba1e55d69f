"""Result archives: the client of result proxies."""
