"""Runs Docker apps on any host."""
