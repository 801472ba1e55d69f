"""The gRPC service of the order publisher."""
