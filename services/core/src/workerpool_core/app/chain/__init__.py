"""The chain follower, reads of the chain, and the health of the node."""
