"""Adapters of the registry: property files in a folder."""
