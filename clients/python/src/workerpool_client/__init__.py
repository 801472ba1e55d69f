"""Calls an iExec workerpool: its workers, its tasks, why one waits or failed, and a requester's logs.

`connect` opens a `Client`. Every failure of its methods is a `WorkerpoolError` with reason, cause and next step.
"""

from workerpool_client.client import Client, Sign, connect
from workerpool_client.credentials import Basic, Bearer, basic, bearer
from workerpool_client.errors import WorkerpoolError
from workerpool_client.names import (
    cause_name,
    fault_name,
    reason_name,
    replicate_status_name,
    task_status_name,
)

__all__ = [
    "Basic",
    "Bearer",
    "Client",
    "Sign",
    "WorkerpoolError",
    "basic",
    "bearer",
    "cause_name",
    "connect",
    "fault_name",
    "reason_name",
    "replicate_status_name",
    "task_status_name",
]
