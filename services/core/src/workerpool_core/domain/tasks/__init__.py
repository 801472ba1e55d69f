"""Decisions about tasks, from initialization to completion."""
