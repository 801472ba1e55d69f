"""Access to the pool: gRPC, HTTP, the chain, files."""
