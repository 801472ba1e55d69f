"""What became of each variable of the existing stack and of the scheduler before it: a successor or a reason."""
