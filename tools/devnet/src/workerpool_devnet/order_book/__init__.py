"""The market of the devnet: an order book with the HTTP API that the iExec SDK uses, checked against the chain."""
