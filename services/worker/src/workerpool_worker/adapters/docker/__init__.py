"""Adapter of the container engine port on the Docker SDK."""
