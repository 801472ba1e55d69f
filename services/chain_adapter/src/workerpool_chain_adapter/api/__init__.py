"""The gRPC and HTTP interfaces of the chain adapter, which translate, authorise and delegate without decisions."""
