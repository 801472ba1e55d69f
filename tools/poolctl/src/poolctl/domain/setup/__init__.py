"""What `poolctl init` does: the plan of its steps, and the `.env` of a pool."""
