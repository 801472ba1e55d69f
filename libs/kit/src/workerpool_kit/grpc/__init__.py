"""gRPC servers and channels: health, reflection, validation, access rules, deadlines, one error map."""
