"""Use cases of the SMS and the ports they need."""
