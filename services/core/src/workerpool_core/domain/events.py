"""What can happen to the scheduler. Every event is a value; the time comes beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_core.domain.model import DealTerms, Receipt, WorkerModel


@dataclass(frozen=True, slots=True)
class DealSeen:
    """A deal for our pool stands on chain and could be read."""

    terms: DealTerms


class TaskLogKind(Enum):
    """Hub events about one task."""

    INITIALIZE = "TaskInitialize"
    CONTRIBUTE = "TaskContribute"
    CONSENSUS = "TaskConsensus"
    REVEAL = "TaskReveal"
    REOPEN = "TaskReopen"
    FINALIZE = "TaskFinalize"
    CLAIMED = "TaskClaimed"


@dataclass(frozen=True, slots=True)
class TaskLog:
    """One hub event about a task. `value` is the result hash, consensus value, digest or results (hexadecimal)."""

    kind: TaskLogKind
    task_id: str
    receipt: Receipt
    worker: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class BlockSeen:
    """A block joined the followed chain, with its deals and task events in log order."""

    number: int
    hash: str
    timestamp: float
    deals: tuple[DealSeen, ...] = ()
    logs: tuple[TaskLog, ...] = ()


@dataclass(frozen=True, slots=True)
class BlocksReverted:
    """A reorganisation removed every block above `ancestor`; the surviving branch follows as BlockSeen events.

    What stands on chain now for every live task is read again (ReadTask).
    """

    ancestor: int


@dataclass(frozen=True, slots=True)
class TaskRead:
    """Answer to ReadTask: the chain's state of a task, with the contribution of each wallet asked for.

    `task` is None when the hub does not know the task (UNSET). `asked_at` is that of the oldest ReadTask
    that this answers; None counts as asked just now. The answer is of `block`.
    """

    task_id: str
    block: int
    task: ChainTask | None
    contributions: Mapping[str, Contribution]
    asked_at: float | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A replicate that a worker says it holds."""

    task_id: str
    status: ReplicateStatus
    result_available: bool
    last_command_sequence: int


@dataclass(frozen=True, slots=True)
class WorkerConnected:
    """A worker opened a stream and said Hello; a previous stream of the wallet is replaced."""

    wallet: str
    session: str
    model: WorkerModel
    held: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerDisconnected:
    """The stream ended. The worker is not lost before its liveness window has passed."""

    wallet: str
    session: str


@dataclass(frozen=True, slots=True)
class WorkersWeighed:
    """The chain told the contribution weights of workers (core spec §6.1)."""

    weights: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class WorkersBeat:
    """Signs of life, each as a wallet and the session it came by."""

    beats: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Details:
    """What belongs to a status update (core spec §2.4). Logs are already tailed by the shell."""

    cause: ReplicateStatusCause | None = None
    receipt: Receipt | None = None
    result_link: str = ""
    callback_data: str = ""
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    error_message: str = ""


_NO_DETAILS = Details()


class Update(NamedTuple):
    """One reported status; `sequence` is the worker's own."""

    sequence: int
    task_id: str
    status: ReplicateStatus
    details: Details = _NO_DETAILS


@dataclass(frozen=True, slots=True)
class StatusReported:
    """A worker reported statuses, oldest first."""

    wallet: str
    session: str
    updates: tuple[Update, ...]


@dataclass(frozen=True, slots=True)
class CommandAcked:
    """A worker has taken a command into its journal."""

    wallet: str
    sequence: int


class TransactionKind(Enum):
    """Transactions of the pool owner."""

    INITIALIZE = "INITIALIZE"
    FINALIZE = "FINALIZE"
    REOPEN = "REOPEN"
    CLAIM = "CLAIM"


@dataclass(frozen=True, slots=True)
class TransactionAnswered:
    """What became of a requested transaction.

    `succeeded` True: its effect is on chain (in `block`, 0 when unknown). False: the adapter refused it or it
    failed, `reason` says why. None: the adapter cannot be reached or does not know yet; ask again later.
    """

    task_id: str
    kind: TransactionKind
    succeeded: bool | None
    block: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResultChecked:
    """Answer to CheckResult: whether the result proxy holds the archive (None: it could not be asked)."""

    task_id: str
    stored: bool | None
    result_link: str = ""


@dataclass(frozen=True, slots=True)
class EnclaveChallengeAnswered:
    """Answer to AskEnclaveChallenge: the challenge address, empty when the SMS refused."""

    task_id: str
    challenge: str
    sms_url: str = ""


@dataclass(frozen=True, slots=True)
class ChainHealthChanged:
    """The node fell behind the documented threshold or recovered; while down no work is handed out."""

    up: bool


@dataclass(frozen=True, slots=True)
class WorkerDrained:
    """An operator drains a worker until a time (infinity: until undrained)."""

    wallet: str
    until: float


@dataclass(frozen=True, slots=True)
class WorkerUndrained:
    """An operator gives a worker work again."""

    wallet: str


@dataclass(frozen=True, slots=True)
class WorkerReleased:
    """An operator ends a quarantine."""

    wallet: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed; the scheduler looks at its deadlines (`Scheduler.next_wake`)."""


@dataclass(frozen=True, slots=True)
class ReconcileDue:
    """The slow safety net: every live task is compared with the chain (ReadTask), every pending answer asked again."""


Event = (
    BlockSeen
    | BlocksReverted
    | TaskRead
    | WorkerConnected
    | WorkerDisconnected
    | WorkersBeat
    | WorkersWeighed
    | StatusReported
    | CommandAcked
    | TransactionAnswered
    | ResultChecked
    | EnclaveChallengeAnswered
    | ChainHealthChanged
    | WorkerDrained
    | WorkerUndrained
    | WorkerReleased
    | Tick
    | ReconcileDue
)
