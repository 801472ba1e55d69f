"""Builders of domain values with defaults, so that a test names only what it is about."""

from typing import Any

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_worker.domain.assignment import Assignment, Task

TASK_ID = TaskId("0x" + "01" * 32)
OTHER_TASK_ID = TaskId("0x" + "02" * 32)
DEAL_ID = DealId("0x" + "03" * 32)
WORKER = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
LATER = 10**10
"""A deadline in Unix seconds that no test reaches."""


def task(**fields: Any) -> Task:
    """Return a standard task without data."""
    values: dict[str, Any] = {
        "task_id": TASK_ID,
        "deal_id": DEAL_ID,
        "task_index": 3,
        "app_uri": "app:1",
        "command_line": "",
        "max_execution_s": 300.0,
        "contribution_deadline": float(LATER),
        "final_deadline": float(LATER),
        "tag": "0x" + "00" * 32,
    }
    return Task(**(values | fields))


def assignment(wire: bytes = b"wire", **fields: Any) -> Assignment:
    """Return an unsigned assignment of `WORKER` to a task."""
    assigned = task(**fields)
    authorization = WorkerpoolAuthorization(WORKER, assigned.task_id, ZERO_ADDRESS, assigned.deal_id, 0, b"")
    return Assignment(authorization, assigned, 0, wire)


def chain_task(**fields: Any) -> ChainTask:
    """Return an active task as the hub stores it."""
    values: dict[str, Any] = {
        "task_id": TASK_ID,
        "status": ChainTaskStatus.ACTIVE,
        "deal_id": DEAL_ID,
        "index": 0,
        "category_time": 300,
        "contribution_deadline": LATER,
        "reveal_deadline": LATER,
        "final_deadline": LATER,
        "consensus_value": bytes(32),
        "reveal_counter": 0,
        "winner_counter": 0,
        "contributors": (),
        "result_digest": b"",
        "results": b"",
        "results_timestamp": 0,
        "results_callback": b"",
    }
    return ChainTask(**(values | fields))
