"""Looks of `poolctl doctor` at services, chain and host: each returns facts and raises nothing."""
