"""The pipeline of one wallet."""
