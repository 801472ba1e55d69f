"""Failures of an app and of a deal's parameters, and their report to the requester."""
