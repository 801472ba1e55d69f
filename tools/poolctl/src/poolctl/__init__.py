"""poolctl: set a pool up, see what it does, and learn why something waits or failed."""
