"""Archives in IPFS: a Kubo node reached by its RPC API."""
