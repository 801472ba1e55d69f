"""The result proxy: keeps result archives that were checked against the chain, and hands them out."""
