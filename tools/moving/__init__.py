"""The successor of each variable of the existing stack and of the scheduler before it, or why it has none."""
