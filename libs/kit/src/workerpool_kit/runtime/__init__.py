"""What protects a running process: its stderr, its background tasks, its recursion limit."""
