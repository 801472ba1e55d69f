"""Prepares what the image of a service holds: its packages of the lock file, and one wheel of the service itself."""
