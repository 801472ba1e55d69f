"""Use cases of the chain adapter, which own the clock, retries and concurrency."""
