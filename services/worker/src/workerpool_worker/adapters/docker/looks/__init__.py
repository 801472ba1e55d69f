"""Looks at what the engine can do, by containers in which no app runs."""
