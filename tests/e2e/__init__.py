"""Whole pools of real processes, as `make e2e` runs them."""
