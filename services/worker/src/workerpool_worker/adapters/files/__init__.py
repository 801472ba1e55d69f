"""Adapter of the workspace port on the local file system: folders, result archives, post-compute."""
