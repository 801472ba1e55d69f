"""Decisions about tasks, from the deal to completion."""
