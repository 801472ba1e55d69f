"""The HTTP port of every process: health, metrics, version, and a limit for each connection."""
