"""Servers that play another party in tests."""
