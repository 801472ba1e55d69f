"""Dispatch: matches tasks that need workers with workers that have free slots."""
