"""The gRPC and HTTP interfaces of the result proxy, which translate, authorise and delegate without decisions."""
