"""Metrics and progress logs derived from decisions."""
