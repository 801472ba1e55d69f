"""The chain as seen by the wallet of the worker."""
