"""The registry's gRPC and HTTP sides."""
