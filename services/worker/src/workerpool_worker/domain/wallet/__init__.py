"""The worker's wallet: its transactions, their gas, and how amounts are written."""
