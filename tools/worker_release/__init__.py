"""Builds what an operator installs: the worker's wheel, and an archive with a binary that needs no Python."""
