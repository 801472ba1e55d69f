"""A pool that a test drives step by step."""
