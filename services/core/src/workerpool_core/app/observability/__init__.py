"""Metrics and logs derived from decisions."""
