"""Decisions on what the chain shows: followed blocks, reads, evidence."""
