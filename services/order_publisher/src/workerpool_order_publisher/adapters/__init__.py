"""Adapters of the market, the chain, the other services and the journal."""
