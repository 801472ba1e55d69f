"""`make bench-result`: archives up and down through the result proxy, beside the store itself."""
