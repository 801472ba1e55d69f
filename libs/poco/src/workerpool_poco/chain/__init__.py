"""Chain access: JSON-RPC, blocks and logs, the hub, new heads, transactions, wallet files."""
