"""Secrets, challenges and keys in MongoDB. `documents` is the one schema of every collection."""
