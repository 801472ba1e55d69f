"""Answers about tasks, workers, logs and the pool."""
