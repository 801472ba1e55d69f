"""Writes: changes of the stored state that the scheduler decides."""

from dataclasses import dataclass, field

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.model import Command, Replicate, ReplicateChange, Task, TaskChange, Worker


@dataclass(frozen=True, slots=True)
class TaskCreated:
    """Insert a task; a task that is stored already stays as it is, so a replay is harmless."""

    task: Task


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """Append to a task's history and set fields, if its stored status is `expected`.

    `changes` may be empty. `fields` maps attributes of `Task` to their new values.
    """

    task_id: TaskId
    expected: TaskStatus
    changes: tuple[TaskChange, ...]
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplicateCreated:
    """Insert a replicate (CREATED)."""

    replicate: Replicate


@dataclass(frozen=True, slots=True)
class ReplicateChanged:
    """Append to a replicate's history and set fields, if its stored status is `expected`.

    `changes` may be empty. `fields` maps attributes of `Replicate` to their new values.
    """

    task_id: TaskId
    wallet: str
    expected: ReplicateStatus
    changes: tuple[ReplicateChange, ...]
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogsStored:
    """Insert the compute logs of a replicate; logs that are stored already stay."""

    task_id: TaskId
    wallet: str
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class WorkerSaved:
    """Insert or replace a worker."""

    worker: Worker


@dataclass(frozen=True, slots=True)
class CommandQueued:
    """Insert a command; it stays stored until it is acknowledged or withdrawn."""

    command: Command


@dataclass(frozen=True, slots=True)
class CommandRemoved:
    """Remove a command that was acknowledged or withdrawn."""

    wallet: str
    sequence: int


@dataclass(frozen=True, slots=True)
class CursorMoved:
    """Set the cursor: the writes before this one contain every effect of the blocks up to `number`."""

    number: int
    hash: str


Write = (
    TaskCreated
    | TaskChanged
    | ReplicateCreated
    | ReplicateChanged
    | LogsStored
    | WorkerSaved
    | CommandQueued
    | CommandRemoved
    | CursorMoved
)
