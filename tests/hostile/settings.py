"""Settings of the pool of a run: small limits, so that each is reached in seconds."""

from __future__ import annotations

from hostile.catalogue.containers import DISK_MIB, MEMORY_MIB

START_LIMIT_S = 10.0
"""Seconds that a worker has to start an assignment; then the task goes to the next worker."""
STOP_LIMIT_S = 15.0
"""Seconds in which SIGTERM ends a worker."""
WORKER = {
    "WORKERPOOL_WORKER_SLOT_MEMORY_MIB": str(MEMORY_MIB),
    "WORKERPOOL_WORKER_APP_DISK_BYTES": str(DISK_MIB << 20),
    "WORKERPOOL_WORKER_DOWNLOAD_TIMEOUT": "PT20S",
    "WORKERPOOL_WORKER_DOWNLOAD_MAX_BYTES": str(8 << 20),
    "WORKERPOOL_WORKER_DOWNLOAD_ALLOWED_HOSTS": "127.0.0.1/32",
}
"""Environment of every worker."""
CORE = {
    "WORKERPOOL_CORE_ASSIGNMENT_TIMEOUT": f"PT{START_LIMIT_S:g}S",
}
"""Environment of the scheduler."""
