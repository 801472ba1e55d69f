"""Fixtures shared by every member: a real database and a real chain."""

from hypothesis import settings

pytest_plugins = ["workerpool_devnet.pytest_plugin"]

# A busy machine stretches single examples; what is slow shows in the durations, not in a deadline.
settings.register_profile("workerpool", deadline=None)
settings.load_profile("workerpool")
