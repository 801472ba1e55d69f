"""Background upkeep: log purge, database health, garbage collection."""
