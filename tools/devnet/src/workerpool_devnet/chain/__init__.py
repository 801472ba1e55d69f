"""The local chain: anvil, JSON-RPC to it, signed transactions."""
