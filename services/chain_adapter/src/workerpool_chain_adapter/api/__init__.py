"""The gRPC and HTTP interfaces of the chain adapter: translate, authorize, delegate; no decisions."""
