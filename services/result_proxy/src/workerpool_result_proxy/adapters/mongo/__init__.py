"""Authorizations, results, token keys and archive bytes in MongoDB.

`documents` is the one schema of every collection.
"""
