"""Fixtures shared by every member: a real database and a real chain."""

pytest_plugins = ["workerpool_devnet.pytest_plugin"]
