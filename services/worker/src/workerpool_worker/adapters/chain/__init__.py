"""Adapter of the chain port: reads and transactions of the worker's wallet over JSON-RPC."""
