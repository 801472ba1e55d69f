"""The status history of a task in the records of the scheduler."""

from workerpool_devnet.demo.follow import Progress
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import TaskStatus as T
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus, ReplicateStatusCause, TaskStatus
from workerpool_protocol.core.v1.task_pb2 import Replicate, Task


def of_task(task: Task) -> list[T]:
    """Return every status of the task, in order."""
    return [T[TaskStatus.Name(change.status).removeprefix("TASK_STATUS_")] for change in task.history]


def of_replicate(replicate: Replicate) -> list[R]:
    """Return every status of the replicate, in order."""
    return [
        R[ReplicateStatus.Name(change.status).removeprefix("REPLICATE_STATUS_")]
        for change in replicate.history
    ]


def causes(replicate: Replicate) -> dict[R, str]:
    """Return every status of the replicate with its cause (UNSPECIFIED without one)."""
    names = [ReplicateStatusCause.Name(change.cause) for change in replicate.history]
    words = [name.removeprefix("REPLICATE_STATUS_CAUSE_") for name in names]
    return dict(zip(of_replicate(replicate), words, strict=True))


def replicates(progress: Progress, task_id: TaskId) -> dict[str, Replicate]:
    """Return the replicates of a task by wallet."""
    return {replicate.wallet_address: replicate for replicate in progress.tasks[task_id].replicates}
