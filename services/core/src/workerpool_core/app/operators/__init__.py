"""Operators who use the page."""
