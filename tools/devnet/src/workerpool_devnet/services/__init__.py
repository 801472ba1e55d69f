"""The services of the pool: configuration, start, readiness."""
