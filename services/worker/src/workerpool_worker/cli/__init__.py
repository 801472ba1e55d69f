"""The command `poolworker`: its commands, and what they read of host, pool and chain."""
