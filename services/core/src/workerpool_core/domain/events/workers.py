"""Events of workers, and of operators about workers."""

from dataclasses import dataclass
from typing import NamedTuple

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_core.domain.model import Receipt, WorkerModel


@dataclass(frozen=True, slots=True)
class HeldReplicate:
    """A replicate in a worker's journal, as its Hello lists it."""

    task_id: TaskId
    status: ReplicateStatus
    result_available: bool
    last_command_sequence: int


@dataclass(frozen=True, slots=True)
class WorkerConnected:
    """A worker opened a stream and sent Hello; the stream replaces an older one of the wallet.

    `parked_reason` is why it takes no new work; empty when it takes work.
    """

    wallet: str
    session: str
    model: WorkerModel
    held: tuple[HeldReplicate, ...] = ()
    parked_reason: str = ""


@dataclass(frozen=True, slots=True)
class WorkerDisconnected:
    """A worker's stream ended. The worker is lost only after the liveness window."""

    wallet: str
    session: str


@dataclass(frozen=True, slots=True)
class WorkerParked:
    """A worker refuses new work for `reason`; an empty reason means that it takes work again."""

    wallet: str
    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerLeft:
    """A worker's process is about to end; it returns within `return_within_s` seconds, or not at 0."""

    wallet: str
    session: str
    return_within_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HeartbeatsReceived:
    """Heartbeats, as pairs of wallet and session."""

    beats: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AssignmentsSent:
    """Assignments were sent on the streams of their workers, as pairs of wallet and task id."""

    pairs: tuple[tuple[str, TaskId], ...]


@dataclass(frozen=True, slots=True)
class Details:
    """The details of a status update (core spec §2.4), with the logs already truncated to their tail."""

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
    """One reported status; `sequence` is assigned by the worker."""

    sequence: int
    task_id: TaskId
    status: ReplicateStatus
    details: Details = _NO_DETAILS


@dataclass(frozen=True, slots=True)
class StatusReported:
    """A worker reported statuses, oldest first."""

    wallet: str
    session: str
    updates: tuple[Update, ...]


@dataclass(frozen=True, slots=True)
class CommandAcknowledged:
    """A worker wrote a command to its journal."""

    wallet: str
    sequence: int


@dataclass(frozen=True, slots=True)
class WorkerDrained:
    """An operator drains a worker until a time (Unix seconds; infinity drains until WorkerUndrained)."""

    wallet: str
    until: float


@dataclass(frozen=True, slots=True)
class WhitelistChanged:
    """An operator changed the wallets that get work; an empty set admits every wallet."""

    wallets: frozenset[str]


@dataclass(frozen=True, slots=True)
class WorkerUndrained:
    """An operator ends a drain."""

    wallet: str


@dataclass(frozen=True, slots=True)
class WorkerQuarantined:
    """An operator quarantines a worker until a time (Unix seconds; infinity lasts until WorkerReleased)."""

    wallet: str
    until: float


@dataclass(frozen=True, slots=True)
class WorkerReleased:
    """An operator ends a quarantine."""

    wallet: str
