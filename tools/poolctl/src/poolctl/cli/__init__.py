"""The commands: each reads facts, lets the domain decide, shows the answer, and sets the exit code."""
