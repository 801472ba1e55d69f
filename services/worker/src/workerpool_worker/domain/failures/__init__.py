"""Failures of an app and of a deal's parameters, and what the requester is told about them."""
