"""Follows the chain, reads it, and judges the node."""
