"""Access to the chain: nodes, the hub contract, new heads, receipts, transactions, wallet files."""
