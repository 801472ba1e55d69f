"""Checks of what the engine can do, with containers that run no app."""
