"""Checks of a seed: invariants after every event, and conditions at its end."""
