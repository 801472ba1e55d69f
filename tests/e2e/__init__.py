"""End-to-end tests: whole pools of real processes (`make e2e`)."""
