"""Config server and platform registry."""
