"""Following the chain and reading it."""
