"""What every Workerpool process shares: settings, logs, gRPC, the HTTP side port, the database, a graceful stop.

Import from the modules; this package re-exports nothing, so that a process only loads what it uses.
"""

import os

# gRPC reads these when it is loaded.
# Its newer listener hands each message from thread to thread: with 5,000 connections that speak now and then it costs
# twice the processor of the older one. An unknown name would only be logged.
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
# Its core writes to stderr by itself, and below errors it repeats to the letter what peers say: forged lines, too.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
