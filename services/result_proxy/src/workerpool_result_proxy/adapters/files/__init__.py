"""Temporary files of uploads: receiving, unpacking, removing."""
