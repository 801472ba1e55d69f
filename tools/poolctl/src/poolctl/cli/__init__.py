"""The commands: each reads facts, calls the domain, prints the answer, and sets the exit code."""
