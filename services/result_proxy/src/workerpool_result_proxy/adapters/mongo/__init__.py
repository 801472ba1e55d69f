"""Authorizations, results, token keys and archive bytes in MongoDB.

`documents` is the schema of every collection.
"""
