"""The chain of a seed and its nodes: blocks, how they take transactions, and what they answer."""
