"""Live tasks and workers: each stored value together with the transient state that only this process holds.

One object owns all transient state of its task or worker, so evicting a task or closing a session drops it whole.
"""

from collections import deque
from dataclasses import dataclass, field

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain.events import TransactionKind, Update
from workerpool_core.domain.model import Command, Task, Worker


@dataclass(slots=True)
class PendingReports:
    """Status updates of one replicate, in order, of which the first awaits a proof by the chain or the result proxy.

    `since` is when the first began to wait and `deadline` when an answer without the proof refuses it (Unix
    seconds). `resubmission_requested` tells whether the worker was already asked to send its transaction again.
    """

    session_id: str
    updates: deque[Update]
    since: float
    deadline: float
    resubmission_requested: bool = False


@dataclass(frozen=True, slots=True)
class PendingFailure:
    """A failure of a task that awaits a read of the chain requested after `since` (Unix seconds)."""

    reason: TaskStatus
    since: float


@dataclass(frozen=True, slots=True)
class UnfollowedChange:
    """A change of a task on chain that was learnt before its block, which is at most `block`, was followed.

    `kind` is the transaction that made it, or None when it was read or when there was more than one.
    """

    block: int
    kind: TransactionKind | None


@dataclass(slots=True)
class LiveTask:
    """A task in memory, with its transient state.

    `pending_reports` are keyed by wallet. `refused_at` is when the adapter refused a transaction that the chain has
    not been read about since; `unexplained_refusal_at` is when the first refusal occurred that the chain did not
    explain (Unix seconds). `lacks_consensus` is set when the chain was read to have no consensus although the
    forecast predicts one.
    """

    task: Task
    pending_reports: dict[str, PendingReports] = field(default_factory=dict)
    pending_failure: PendingFailure | None = None
    unfollowed: UnfollowedChange | None = None
    refused_at: dict[TransactionKind, float] = field(default_factory=dict)
    unexplained_refusal_at: dict[TransactionKind, float] = field(default_factory=dict)
    lacks_consensus: bool = False


@dataclass(slots=True)
class WorkerSession:
    """One stream of a worker. `refusals` are the reasons of its latest refused updates, by sequence.

    A repeated sequence gets the same answer again.
    """

    id: str
    last_sequence: int = 0
    refusals: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class LiveWorker:
    """A worker in memory, with its transient state; `session` is None while its stream is closed.

    `held` are the tasks of its unfinished replicates and `computing` those of them that occupy a slot. `commands`
    are its unacknowledged commands by sequence; new ones get sequences above `last_command_sequence`. `weight` is its
    contribution weight, 0 until it is read. `searched_version` is the version of the waiting tasks in which the
    dispatcher last found nothing for the worker.
    """

    worker: Worker
    session: WorkerSession | None = None
    weight: int = 0
    held: set[TaskId] = field(default_factory=set)
    computing: set[TaskId] = field(default_factory=set)
    commands: dict[int, Command] = field(default_factory=dict)
    last_command_sequence: int = 0
    searched_version: int | None = None
