"""A seeded simulation of the scheduler with everything around it modelled, and everything able to fail."""
