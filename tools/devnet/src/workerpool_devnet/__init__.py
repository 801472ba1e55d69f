"""A whole pool on one machine: chain, contracts, database, services, workers."""
