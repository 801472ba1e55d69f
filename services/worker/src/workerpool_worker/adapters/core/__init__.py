"""The gRPC client of core: login, stream, messages."""
