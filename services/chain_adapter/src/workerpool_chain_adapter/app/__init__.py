"""Use cases of the chain adapter; they own the clock, retries and concurrency."""
