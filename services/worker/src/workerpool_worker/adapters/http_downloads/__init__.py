"""Downloads over HTTP: one fetcher for input files and datasets."""
