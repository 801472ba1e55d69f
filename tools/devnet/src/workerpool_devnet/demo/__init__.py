"""The demo: a requester buys tasks on a real chain and opens their results."""
