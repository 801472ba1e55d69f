"""The registry's gRPC services and HTTP routes."""
