"""Secrets, challenges and keys in MongoDB; `documents` is the schema of every collection."""
