"""Use cases of the worker and the ports they need. No technology is imported here."""
