"""Tests of the operator's page in a real browser."""
