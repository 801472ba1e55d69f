"""What the scheduler answers: writes, which must be durable first, and effects, which follow.

An `Outcome` is applied as a whole: the shell makes all `writes` durable (majority and journal, grouped
with those of other outcomes, in order), then carries out the `effects` in order. An effect that is
lost because the process dies is decided anew after the restart, from the store, the chain and the
workers' Hello. What exists for every reported status is a named tuple: made in a third of the time.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import (
    Action,
    Command,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
)

# --- writes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskCreated:
    """Insert a task; a task that is there already is left alone (replay is harmless)."""

    task: Task


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """Append to a task's history and set fields, if its stored status is still `expected`.

    `changes` may be empty (fields only). `fields` names attributes of `Task` with their new values.
    """

    task_id: str
    expected: TaskStatus
    changes: tuple[TaskChange, ...]
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplicateCreated:
    """Insert a replicate (CREATED)."""

    replicate: Replicate


@dataclass(frozen=True, slots=True)
class ReplicateChanged:
    """Append to a replicate's history and set fields, if its stored status is still `expected`."""

    task_id: str
    wallet: str
    expected: ReplicateStatus
    changes: tuple[ReplicateChange, ...]
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogsKept:
    """Keep the compute logs of a replicate; the first ones win."""

    task_id: str
    wallet: str
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class WorkerSaved:
    """Insert or replace a worker, without its pending commands and without its session."""

    worker: Worker


@dataclass(frozen=True, slots=True)
class CommandQueued:
    """Insert a command; it stays until it is acknowledged."""

    command: Command


@dataclass(frozen=True, slots=True)
class CommandDone:
    """Remove an acknowledged command."""

    wallet: str
    sequence: int


@dataclass(frozen=True, slots=True)
class CursorMoved:
    """Every effect of the blocks up to `number` is stored by the writes before this one."""

    number: int
    hash: str


Write = (
    TaskCreated
    | TaskChanged
    | ReplicateCreated
    | ReplicateChanged
    | LogsKept
    | WorkerSaved
    | CommandQueued
    | CommandDone
    | CursorMoved
)

# --- effects ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Welcome:
    """Answer a Hello; the worker drops `dropped` (task ids)."""

    wallet: str
    session: str
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assign:
    """Send a replicate to its worker (sign the authorization, describe the task)."""

    wallet: str
    task_id: str


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Send a queued command to its worker, if it is connected. With `resume` the assignment travels along."""

    command: Command
    resume: bool = False


class UpdateOutcome(Enum):
    """What became of a status update (core spec §2.5)."""

    ACCEPTED = "ACCEPTED"
    ALREADY_KNOWN = "ALREADY_KNOWN"
    REFUSED = "REFUSED"


class AnswerUpdate(NamedTuple):
    """Answer one status update of a worker.

    When it was refused, `reason` is the protocol's word for why and `message` says it to people.
    """

    wallet: str
    session: str
    sequence: int
    outcome: UpdateOutcome
    action: Action
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class SendDrain:
    """Tell a worker that no more work comes."""

    wallet: str
    deadline: float


@dataclass(frozen=True, slots=True)
class CloseSession:
    """End a worker's stream with a Shutdown."""

    wallet: str
    session: str
    reason: str
    message: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class RequestTransaction:
    """Ask the chain adapter; the answer comes as TransactionAnswered. Asking twice is harmless."""

    kind: TransactionKind
    task_id: str
    deal_id: str = ""
    index: int = 0
    result_link: str = ""
    callback_data: str = ""


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Read the chain's state of a task and the contributions of `wallets`; answered by TaskRead.

    `asked_at` comes back with the answer: only a read asked after a deadline can tell that it was missed.
    """

    task_id: str
    wallets: tuple[str, ...] = ()
    asked_at: float | None = None


@dataclass(frozen=True, slots=True)
class ReadWeight:
    """Read a worker's contribution weight from the chain, 0 if it cannot pay for a contribution.

    Answered by WorkersWeighed.
    """

    wallet: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Ask the result proxy whether it holds the archive; answered by ResultChecked."""

    task_id: str
    storage_proxy: str = ""


@dataclass(frozen=True, slots=True)
class AskEnclaveChallenge:
    """Ask the SMS of the task's TEE framework; answered by EnclaveChallengeAnswered."""

    task_id: str
    tag: str


@dataclass(frozen=True, slots=True)
class TaskMoved:
    """A task or one of its replicates changed: whoever watches it is told."""

    task_id: str


Effect = (
    Welcome
    | Assign
    | SendCommand
    | AnswerUpdate
    | SendDrain
    | CloseSession
    | RequestTransaction
    | ReadTask
    | ReadWeight
    | CheckResult
    | AskEnclaveChallenge
    | TaskMoved
)


@dataclass(slots=True)
class Outcome:
    """Writes to make durable, then effects to carry out, both in order."""

    writes: list[Write] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
