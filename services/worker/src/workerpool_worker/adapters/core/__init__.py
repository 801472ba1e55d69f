"""gRPC client of the scheduler: unary calls, the worker stream, message mapping."""
