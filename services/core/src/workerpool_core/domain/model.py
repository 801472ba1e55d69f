"""Stored state of tasks, replicates, workers and commands; the store port writes and loads these values.

Ids of deals and tasks are `0x`-prefixed lower-case hexadecimal of 32 bytes. Wallets are checksummed addresses.
Times are Unix seconds. Blocks are block numbers.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus


class Modifier(Enum):
    """The author of a change of a replicate's status (core spec §2.3)."""

    WORKER = "WORKER"
    POOL_MANAGER = "POOL_MANAGER"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction: its block (0 when unknown) and its hash (empty when unknown)."""

    block: int = 0
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class TaskChange:
    """One entry of a task's history."""

    status: TaskStatus
    date: float
    receipt: Receipt | None = None


class ReplicateChange(NamedTuple):
    """One entry of a replicate's history."""

    status: ReplicateStatus
    date: float
    modifier: Modifier
    cause: ReplicateStatusCause | None = None
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class DealTerms:
    """The terms of a deal, read from the chain once and shared by all tasks of the deal."""

    deal_id: DealId
    block: int
    app_address: str
    app_uri: str
    command_line: str
    input_files: tuple[str, ...]
    dataset_address: str
    dataset_uri: str
    dataset_checksum: str
    trust: int
    category: int
    max_execution_s: int
    tag: str
    requester: str
    beneficiary: str
    callback: str
    bot_first: int
    bot_size: int
    worker_stake: int
    start_time: float
    contribution_deadline: float
    final_deadline: float
    storage_provider: str = ""
    storage_proxy: str = ""
    result_encryption: bool = False
    secrets: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Replicate:
    """The execution of one task by one worker."""

    task_id: TaskId
    wallet: str
    weight: int
    history: list[ReplicateChange]
    contribution_hash: str = ""
    result_link: str = ""
    callback_data: str = ""
    exit_code: int | None = None
    logs_present: bool = False

    @property
    def status(self) -> ReplicateStatus:
        """The last status of the history."""
        return self.history[-1].status

    @property
    def last_relevant(self) -> ReplicateStatus:
        """The last status that is neither WORKER_LOST nor RECOVERING (core spec §2.1)."""
        skipped = (ReplicateStatus.WORKER_LOST, ReplicateStatus.RECOVERING)
        return next(c.status for c in reversed(self.history) if c.status not in skipped)

    def has_reached(self, status: ReplicateStatus) -> bool:
        """Return whether the history contains this status."""
        for change in self.history:  # noqa: SIM110 - called for every update; a generator costs three times as much
            if change.status is status:
                return True
        return False


@dataclass(slots=True)
class Task:
    """One task of a deal, with its replicates by wallet.

    `initialization_block` is 0 while the task is not initialized on chain. `claim_due` marks a task that ended here
    but is still open on chain; it is claimed at its final deadline so that the requester is refunded. `final_block`
    is the block of the finalization or claim that closed an ended task on chain, or the block at which the chain was
    read to have nothing to close. It is 0 before that, and again after a reorganisation removed that block.
    """

    task_id: TaskId
    index: int
    terms: DealTerms
    history: list[TaskChange]
    replicates: dict[str, Replicate] = field(default_factory=dict)
    initialization_block: int = 0
    enclave_challenge: str = ""
    sms_url: str = ""
    consensus: str = ""
    consensus_block: int = 0
    reveal_deadline: float = 0.0
    winner_count: int = 0
    uploader: str = ""
    upload_requested_at: float = 0.0
    result_link: str = ""
    callback_data: str = ""
    claim_due: bool = False
    final_block: int = 0

    @property
    def status(self) -> TaskStatus:
        """The last status of the history."""
        return self.history[-1].status

    @property
    def ended(self) -> bool:
        """Whether the task is COMPLETED or FAILED."""
        return self.status in (TaskStatus.COMPLETED, TaskStatus.FAILED)

    @property
    def finalize_due(self) -> bool:
        """Whether the task is COMPLETED but a reorganisation removed its finalization."""
        return self.status is TaskStatus.COMPLETED and not self.final_block and not self.claim_due


class Action(Enum):
    """The next step of a worker on a replicate: the protocol's PLEASE_ messages (core spec §2.8)."""

    CONTINUE = "CONTINUE"
    WAIT = "WAIT"
    START = "START"
    DOWNLOAD_APP = "DOWNLOAD_APP"
    DOWNLOAD_DATA = "DOWNLOAD_DATA"
    COMPUTE = "COMPUTE"
    CONTRIBUTE = "CONTRIBUTE"
    REVEAL = "REVEAL"
    UPLOAD = "UPLOAD"
    CONTRIBUTE_AND_FINALIZE = "CONTRIBUTE_AND_FINALIZE"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"


@dataclass(frozen=True, slots=True)
class Command:
    """A durable command to one worker, resent on every connection until the worker acknowledges it."""

    wallet: str
    sequence: int
    task_id: TaskId
    action: Action
    block: int = 0
    cause: ReplicateStatusCause | None = None


@dataclass(frozen=True, slots=True)
class WorkerModel:
    """The hardware and software of a worker's host, as its Hello describes them."""

    name: str
    version: str
    os: str
    cpu: str
    slots: int
    memory_bytes: int
    gpus: int = 0
    sgx: bool = False
    tdx: bool = False


@dataclass(slots=True)
class Worker:
    """A worker that has registered at least once. `last_seen` is the time of its last message."""

    wallet: str
    model: WorkerModel
    registered_at: float
    last_seen: float
    lost: bool = False
    drained_until: float = 0.0
    quarantined_until: float = 0.0
    consecutive_failures: int = 0
