"""What `poolctl doctor` concludes from facts."""
