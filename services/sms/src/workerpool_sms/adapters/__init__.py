"""Adapters of the SMS: database, key file, chain."""
