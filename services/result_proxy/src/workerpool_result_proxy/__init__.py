"""Result archives."""
