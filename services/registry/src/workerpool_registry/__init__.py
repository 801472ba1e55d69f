"""The registry: config server and platform registry of a pool, in one process."""
