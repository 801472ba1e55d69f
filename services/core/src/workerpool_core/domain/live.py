"""Live tasks and workers: each stored value together with the transient state that only this process holds.

One object owns all transient state of its task or worker, so evicting a task or closing a session drops all of it.
"""

from collections import deque
from dataclasses import dataclass, field

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain.events import TransactionKind, Update
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.model import Command, PoolDeal, Task, Worker


@dataclass(slots=True)
class PendingReports:
    """Status updates of one replicate, in order; the first awaits a proof by the chain or the result proxy.

    `since` is when the first began to wait; from `deadline` on, an answer without the proof refuses it (Unix seconds).
    `resubmission_requested`: the worker was already asked to send its transaction again.
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
    """A change of a task on chain, known before core followed its block, which is at most `block`.

    `kind` is the transaction that made it; None when the change was read or has several transactions.
    """

    block: int
    kind: TransactionKind | None


@dataclass(slots=True)
class LiveTask:
    """A task in memory, with its transient state.

    * `unsatisfiable`: what the pool's workers together lack for it, as last reported; empty when nothing.
    * `pending_reports`: by wallet.
    * `refused_at`: when the adapter refused each transaction, until a later read of the chain (Unix seconds).
    * `unexplained_refusal_at`: when the first refusal occurred that the chain did not explain (Unix seconds).
    * `lacks_consensus`: a read of the chain showed no consensus although the forecast predicts one.
    * `paused_until`: before this time the task is assigned to no other worker (Unix seconds).
    * `service_problem`: why the last request to a service that the task waits for failed; None when it succeeded.
    * `refusal`: why the adapter last refused a transaction.
    """

    task: Task
    pending_reports: dict[str, PendingReports] = field(default_factory=dict)
    pending_failure: PendingFailure | None = None
    unfollowed: UnfollowedChange | None = None
    refused_at: dict[TransactionKind, float] = field(default_factory=dict)
    unexplained_refusal_at: dict[TransactionKind, float] = field(default_factory=dict)
    lacks_consensus: bool = False
    paused_until: float = 0.0
    unsatisfiable: str = ""
    service_problem: Explanation | None = None
    refusal: str = ""


@dataclass(slots=True)
class LiveDeal:
    """A deal in memory. Tasks are created in the order of their indexes, as workers can serve them.

    `next_index` is the first index without a task. `tasks` are the live tasks, `open` those of them that have not
    ended, and `unserved` those without any replicate.
    """

    deal: PoolDeal
    next_index: int
    tasks: set[TaskId] = field(default_factory=set)
    open: set[TaskId] = field(default_factory=set)
    unserved: set[TaskId] = field(default_factory=set)

    @property
    def end(self) -> int:
        """The index after the last one."""
        return self.deal.terms.bot_first + self.deal.terms.bot_size

    @property
    def queued(self) -> int:
        """The number of tasks that have not been created."""
        return max(self.end - self.next_index, 0)


@dataclass(slots=True)
class WorkerSession:
    """One stream of a worker, open since `opened_at` (Unix seconds).

    `refusals` are the reasons of its latest refused updates by sequence, so that a repetition gets the same answer.
    """

    id: str
    last_sequence: int = 0
    opened_at: float = 0.0
    refusals: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class LiveWorker:
    """A worker in memory, with its transient state; `session` is None while its stream is closed.

    * `held`: the tasks of its unfinished replicates; `computing`: those of them that occupy a slot.
    * `commands`: its unacknowledged commands by sequence; new ones get sequences above `last_command_sequence`.
    * `weight`: its contribution weight; `stake`: its free stake in the hub (nRLC). 0 and None until they are read.
    * `lacks_stake`: since the last read, a paid task was withheld from it for lack of stake.
    * `searched_version`: the version of the waiting tasks in which the dispatcher last found nothing for it.
    * `counted_slots`: its slots in the pool's capacity.
    * `sent_at`: when its assignments without a report were sent (Unix seconds); `unanswered`: those that timed out.
    * `silent`: it has reported nothing since an assignment timed out.
    * `parked_reason`: why it refuses new work in its session; empty when it takes work.
    * `away_until`: the end of an announced absence (Unix seconds); until then it is not lost. Not stored.
    """

    worker: Worker
    session: WorkerSession | None = None
    weight: int = 0
    stake: int | None = None
    lacks_stake: bool = False
    held: set[TaskId] = field(default_factory=set)
    computing: set[TaskId] = field(default_factory=set)
    commands: dict[int, Command] = field(default_factory=dict)
    last_command_sequence: int = 0
    searched_version: int | None = None
    counted_slots: int = 0
    sent_at: dict[TaskId, float] = field(default_factory=dict)
    unanswered: set[TaskId] = field(default_factory=set)
    silent: bool = False
    parked_reason: str = ""
    away_until: float = 0.0

    @property
    def has_stake(self) -> bool:
        """Whether the worker is known to have free stake, without which it gets no paid task."""
        return bool(self.stake)
