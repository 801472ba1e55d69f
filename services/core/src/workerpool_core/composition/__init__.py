"""The composition root: builds the scheduler from its parts, in the order of start and stop."""
