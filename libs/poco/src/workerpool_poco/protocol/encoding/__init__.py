"""Ethereum's encodings and hashes, for the types that the protocol uses."""
