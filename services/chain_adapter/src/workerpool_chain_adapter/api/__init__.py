"""The adapter's gRPC and HTTP sides: translate, authorise, delegate."""
