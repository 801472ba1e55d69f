"""What must hold at every step, and in the end."""
