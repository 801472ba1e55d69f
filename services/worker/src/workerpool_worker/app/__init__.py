"""What the worker does when something happens: the life of a replicate, its steps, and the ports they need."""
