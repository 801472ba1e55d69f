"""Use cases of the registry, and their ports."""
