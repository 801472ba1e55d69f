"""Background maintenance: log purge, retention of tasks, database health, garbage collection."""
