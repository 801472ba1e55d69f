"""Decisions on the state of the chain: followed blocks, reads of tasks, and the evidence in both."""
