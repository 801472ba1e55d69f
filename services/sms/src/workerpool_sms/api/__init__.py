"""The gRPC and HTTP interfaces of the SMS: translate, authorize, delegate; no decisions."""
