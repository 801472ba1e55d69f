"""Implementations of the ports, one module or package per technology."""
