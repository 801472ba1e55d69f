"""What `poolctl logs` and `poolctl debug` read: logs of services, and a bundle for support."""
