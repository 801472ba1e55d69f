"""Checks the .env of a pool before production, and writes the secret files that compose.yaml mounts.

It needs Python alone, so that it runs on the pool's host: `make pool-check`, `make pool-secrets`.
"""
