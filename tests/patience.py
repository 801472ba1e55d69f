"""How long a test waits before it gives up."""

PATIENCE_S = 120.0
"""Seconds. It only ends a test that hangs: a machine may be many times slower than the one that wrote the test."""
