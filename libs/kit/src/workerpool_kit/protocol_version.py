"""Version of the worker stream (`workerpool.core.v1.WorkerService.Connect`), sent in `Hello`."""

PROTOCOL_VERSION = 1
"""Raised by a change of the stream that an older peer would misread; core refuses every other version."""
