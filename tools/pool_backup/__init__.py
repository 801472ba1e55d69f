"""Backup and restore of a pool with Docker Compose: its volumes, settings and secrets. Needs Docker only."""
