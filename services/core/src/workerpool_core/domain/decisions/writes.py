"""Writes: changes of the stored state that the scheduler decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.model import (
    Command,
    PoolDeal,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
)


@dataclass(frozen=True, slots=True)
class DealSaved:
    """Insert or replace a deal. Its next index follows from its stored tasks."""

    deal: PoolDeal


@dataclass(frozen=True, slots=True)
class DealRemoved:
    """Remove a deal whose contribution deadline has passed; `unreached` of its tasks were never created."""

    deal_id: DealId
    unreached: int = 0


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


class ReplicateChanged(NamedTuple):
    """Append to a replicate's history and set fields, if its stored status is `expected`.

    `changes` may be empty. `fields` maps attributes of `Replicate` to their new values.
    """

    task_id: TaskId
    wallet: str
    expected: ReplicateStatus
    changes: tuple[ReplicateChange, ...]
    fields: Mapping[str, object] = MappingProxyType({})


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
    DealSaved
    | DealRemoved
    | TaskCreated
    | TaskChanged
    | ReplicateCreated
    | ReplicateChanged
    | LogsStored
    | WorkerSaved
    | CommandQueued
    | CommandRemoved
    | CursorMoved
)
