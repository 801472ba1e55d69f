"""Settings read from documented environment variables."""
