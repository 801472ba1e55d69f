"""Generated gRPC stubs of every Workerpool contract."""
