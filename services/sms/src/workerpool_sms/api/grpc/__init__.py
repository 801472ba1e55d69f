"""gRPC services of the SMS."""
