"""Reads for `poolctl doctor`: services, chain and host. Each returns facts and raises nothing."""
