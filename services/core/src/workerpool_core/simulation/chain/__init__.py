"""A model of the chain with the hub's rules, and of the chain adapter."""
