"""The result proxy, which stores result archives that were checked against the chain, and serves them."""
