"""Queries of tasks, workers, logs and the pool."""
