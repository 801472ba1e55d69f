"""Background maintenance: log purge, database health, garbage collection."""
