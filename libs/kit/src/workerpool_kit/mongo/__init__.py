"""MongoDB: the connection of a service, and what a replica set's outages look like."""
