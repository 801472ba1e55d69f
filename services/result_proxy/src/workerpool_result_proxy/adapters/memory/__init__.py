"""In-memory implementations of the ports, for tests; one contract suite holds them to the real ones."""
