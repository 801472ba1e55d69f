"""Operators that use the page."""
