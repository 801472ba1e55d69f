"""MongoDB: the connection of a service, and how outages of a replica set are recognised."""
