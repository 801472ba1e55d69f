"""Implementations of the ports of `app`: property files."""
