"""The gRPC and HTTP interfaces of the result proxy: translate, authorize, delegate; no decisions."""
