"""What every Workerpool process shares: settings, logs, gRPC, HTTP side port, database, graceful stop."""
