"""The registry of a pool: config server and platform registry in one process."""
