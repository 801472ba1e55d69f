"""A model of the core process and of its effects."""
