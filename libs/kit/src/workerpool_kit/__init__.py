"""What every Workerpool process shares: settings, logs, gRPC, the HTTP side port, the database, a graceful stop.

Import from the modules; this package re-exports nothing, so that a process only loads what it uses.
"""
