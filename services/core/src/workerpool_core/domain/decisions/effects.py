"""Effects: messages and requests that the scheduler decides, executed after the writes of their outcome.

`AnswerUpdate` is a named tuple, because one is created for each reported status: three times as fast as a dataclass.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Action, Command

# --- messages to workers ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Welcome:
    """Answer a Hello; `dropped` names the tasks whose replicates the worker drops."""

    wallet: str
    session: str
    dropped: tuple[TaskId, ...] = ()


class Assign(NamedTuple):
    """Send a replicate to its worker, with a signed authorization and the task's description."""

    wallet: str
    task_id: TaskId


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Send a queued command to its worker, if it is connected; with `resume` the assignment is included."""

    command: Command
    resume: bool = False


class UpdateOutcome(Enum):
    """The outcome of a status update (core spec §2.5)."""

    ACCEPTED = "ACCEPTED"
    ALREADY_KNOWN = "ALREADY_KNOWN"
    REFUSED = "REFUSED"


class AnswerUpdate(NamedTuple):
    """Answer one status update of a worker.

    `reason` is the protocol's word for a refusal and `message` explains it to an operator.
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
    """Inform a worker that it gets no more work until `deadline` (Unix seconds)."""

    wallet: str
    deadline: float


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Close a worker's stream with a Shutdown."""

    wallet: str
    session: str
    reason: str
    message: str = ""
    retry_after_s: float | None = None


# --- requests to the chain and other services ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestTransaction:
    """Request a transaction from the chain adapter; answered by TransactionAnswered. A repetition is harmless."""

    kind: TransactionKind
    task_id: TaskId
    deal_id: str = ""
    index: int = 0
    result_link: str = ""
    callback_data: str = ""


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Read a task and the contributions of `wallets` from the chain; answered by a TaskRead in TasksRead.

    The answer repeats `requested_at` (Unix seconds): only a read requested after a deadline shows that it was missed.
    """

    task_id: TaskId
    wallets: tuple[str, ...] = ()
    requested_at: float | None = None


@dataclass(frozen=True, slots=True)
class ReadWeight:
    """Read a worker's contribution weight and free stake from the chain; answered by WeightsRead.

    The weight is 0 if the worker cannot pay the gas of a contribution.
    """

    wallet: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Ask the result proxy whether it holds a task's archive; answered by ResultChecked."""

    task_id: TaskId


@dataclass(frozen=True, slots=True)
class FindSms:
    """Find the SMS of the task's TEE framework, before the task is initialized.

    Answered by SmsFound, SmsRefused or SmsUnreachable.
    """

    task_id: TaskId
    tag: str


@dataclass(frozen=True, slots=True)
class RequestEnclaveChallenge:
    """Request a challenge from the SMS of the task's TEE framework, which issues it for initialized tasks only.

    Answered by EnclaveChallengeAnswered, SmsRefused or SmsUnreachable.
    """

    task_id: TaskId
    tag: str


# --- queries ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskUnsatisfiable:
    """Log that the workers of the pool can never satisfy a task; an empty `reason` means that they can again."""

    task_id: TaskId
    reason: str


class NotifyWatchers(NamedTuple):
    """Notify the watchers of a task that it or one of its replicates changed."""

    task_id: TaskId


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
    | FindSms
    | RequestEnclaveChallenge
    | NotifyWatchers
    | TaskUnsatisfiable
)
