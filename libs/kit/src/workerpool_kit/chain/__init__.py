"""What processes share that follow the chain."""
