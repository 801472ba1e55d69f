"""What every Workerpool process shares: settings, logs, gRPC, the HTTP port, the database, retries, a graceful stop.

Import from the modules: this package exports nothing, so that a process loads only what it uses.
"""

import os

# gRPC reads these when it is imported.
# The newer event engine listener passes each message between threads: with 5,000 mostly idle connections it costs twice
# the CPU of the older one. gRPC only logs an unknown name.
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
# gRPC's core writes to stderr itself, and below ERROR it repeats the text of peers, so a peer could forge log lines.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
