"""poolctl: set up a pool, see what it does, and learn why something waits or failed."""
