"""What `poolctl init` writes and sends."""
