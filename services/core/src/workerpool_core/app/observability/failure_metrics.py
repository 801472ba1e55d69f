"""Counters of failed replicates and tasks by the side at fault (docs/blame.md)."""

from collections.abc import Sequence

from prometheus_client import Counter
from workerpool_poco.protocol.causes import ReplicateStatusCause, Side
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, ReplicateStatus, TaskStatus

from workerpool_core.domain.blame import BLAME
from workerpool_core.domain.explanations import replicates, tasks
from workerpool_core.domain.model import Replicate, ReplicateChange, Task

REPLICATE_FAILURES = Counter(
    "workerpool_core_replicate_failures",
    "Replicates that failed, by the cause of their first failure and by the side at fault.",
    ["cause", "side"],
)
TASK_FAILURES = Counter(
    "workerpool_core_task_failures",
    "Tasks that ended FAILED, or COMPLETED with an error result, by the side at fault.",
    ["status", "side"],
)
_NONE = "NONE"
"""The label of a failure without a cause, or without a side at fault."""


def _series() -> None:
    """Create every series: Prometheus sees no increase in a series that starts at 1."""
    for cause, blame in BLAME.items():
        REPLICATE_FAILURES.labels(_name(cause), blame.side.value)
    for side in Side:
        for status in FINAL_TASK_STATUSES:
            TASK_FAILURES.labels(status.value, side.value)


def _name(cause: ReplicateStatusCause | None) -> str:
    return _NONE if cause is None else cause.value


_series()


def replicate_failed(task: Task, replicate: Replicate, changes: Sequence[ReplicateChange]) -> bool:
    """Count a replicate whose first failure is among its latest `changes`, and return whether there was one.

    A replicate that was no longer needed, because other workers agreed, is no failure.
    """
    first = next((change for change in replicate.history if _is_failure(change)), None)
    if first is None or not any(change is first for change in changes):
        return False
    side = replicates.failure(task, replicate, first).side
    REPLICATE_FAILURES.labels(_name(first.cause), _NONE if side is None else side.value).inc()
    return True


def task_ended(task: Task, status: TaskStatus) -> None:
    """Count a task that ended FAILED, or COMPLETED with an error result."""
    if status is TaskStatus.FAILED:
        side = tasks.failure(task).side
    elif task.error_cause is not None:
        side = BLAME[task.error_cause].side
    else:
        return
    TASK_FAILURES.labels(status.value, _NONE if side is None else side.value).inc()


def _is_failure(change: ReplicateChange) -> bool:
    unneeded = (
        change.status is ReplicateStatus.ABORTED and change.cause is ReplicateStatusCause.CONSENSUS_REACHED
    )
    return replicates.is_failure(change) and not unneeded
