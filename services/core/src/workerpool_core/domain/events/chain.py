"""Events of the chain and of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution

from workerpool_core.domain.model import DealTerms, Receipt


@dataclass(frozen=True, slots=True)
class DealSeen:
    """A deal for this pool is on chain and its terms were read."""

    terms: DealTerms


class TaskLogKind(Enum):
    """Events of the hub about one task."""

    INITIALIZE = "TaskInitialize"
    CONTRIBUTE = "TaskContribute"
    CONSENSUS = "TaskConsensus"
    REVEAL = "TaskReveal"
    REOPEN = "TaskReopen"
    FINALIZE = "TaskFinalize"
    CLAIMED = "TaskClaimed"


@dataclass(frozen=True, slots=True)
class TaskLog:
    """One event of the hub about a task.

    `value` is the result hash, consensus value, digest or results in hexadecimal, depending on `kind`.
    """

    kind: TaskLogKind
    task_id: TaskId
    receipt: Receipt
    worker: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class BlockSeen:
    """A block was appended to the followed chain, with its deals and task events in log order."""

    number: int
    hash: str
    timestamp: float
    deals: tuple[DealSeen, ...] = ()
    logs: tuple[TaskLog, ...] = ()


@dataclass(frozen=True, slots=True)
class BlocksReverted:
    """A reorganisation removed every block above `ancestor`; the new branch follows as BlockSeen events.

    The scheduler reads every live task again (ReadTask).
    """

    ancestor: int


@dataclass(frozen=True, slots=True)
class TaskRead:
    """The answer to one ReadTask: a task at `block`, with the contribution of each requested wallet and contributor.

    `task` is None when the hub does not know the task (UNSET). `requested_at` is the time of the oldest ReadTask that
    this answers; None counts as now.
    """

    task_id: TaskId
    block: int
    task: ChainTask | None
    contributions: Mapping[str, Contribution]
    requested_at: float | None = None


@dataclass(frozen=True, slots=True)
class TasksRead:
    """Tasks were read from the chain together."""

    reads: tuple[TaskRead, ...]


@dataclass(frozen=True, slots=True)
class WeightsRead:
    """Contribution weights of workers were read, as pairs of wallet and weight (core spec §6.1).

    `stakes` are pairs of wallet and free stake in the hub (nRLC), without the wallets whose stake was not read.
    """

    weights: tuple[tuple[str, int], ...]
    stakes: tuple[tuple[str, int], ...] = ()


class ChainProblem(Enum):
    """Why core cannot rely on the node."""

    SILENT = "SILENT"
    BEHIND = "BEHIND"
    ANOTHER_CHAIN = "ANOTHER_CHAIN"


@dataclass(frozen=True, slots=True)
class ChainHealthChanged:
    """The health of the node changed; no tasks are assigned while it is down.

    `problem` and `message` (for the operator) say why it is down.
    """

    up: bool
    problem: ChainProblem = ChainProblem.SILENT
    message: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer is due (`Scheduler.next_wake`)."""


@dataclass(frozen=True, slots=True)
class ReconcileDue:
    """The periodic reconciliation is due: read every live task, and repeat every unanswered request."""
