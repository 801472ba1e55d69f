"""Stored state of tasks, replicates, workers and commands; the store port writes and loads these values.

Ids of deals and tasks are `0x`-prefixed lower-case hexadecimal of 32 bytes. Wallets are checksummed addresses.
Times are Unix seconds. Blocks are block numbers.
"""

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import (
    FINAL_TASK_STATUSES,
    INTERLUDE_REPLICATE_STATUSES,
    ReplicateStatus,
    ReplicateStatusCause,
    TaskStatus,
)


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
    """One entry of a replicate's history; `message` is one sentence for the requester, often empty."""

    status: ReplicateStatus
    date: float
    modifier: Modifier
    cause: ReplicateStatusCause | None = None
    receipt: Receipt | None = None
    message: str = ""


class ErrorDecision(Enum):
    """The decision on an error result that a worker holds: contribute it, or drop it."""

    CONTRIBUTE = "CONTRIBUTE"
    ABORT = "ABORT"


@dataclass(frozen=True, slots=True)
class DealTerms:
    """The terms of a deal, read from the chain once and shared by all tasks of the deal.

    A `free` deal locks nothing: its requester pays no app, dataset or pool, and the pool has no stake at risk. Its
    tasks are never claimed, because a claim costs the pool gas and refunds nothing.
    """

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
    free: bool = False


@dataclass(frozen=True, slots=True)
class PoolDeal:
    """A deal of this pool, known until its contribution deadline.

    `on_chain` is False after a reorganisation removed the deal, until it is seen again.
    """

    terms: DealTerms
    on_chain: bool = True


@dataclass(slots=True)
class Replicate:
    """The execution of one task by one worker.

    `error_decision` is the decision on its error result, made at `decided_at` (Unix seconds); None before the decision
    and for a success. `overdue`: its contribution is late, so the task may go to another worker. `blamed`: the delay
    has counted towards the worker's quarantine.
    """

    task_id: TaskId
    wallet: str
    weight: int
    history: list[ReplicateChange]
    contribution_hash: str = ""
    result_link: str = ""
    callback_data: str = ""
    exit_code: int | None = None
    logs_present: bool = False
    error_decision: ErrorDecision | None = None
    decided_at: float = 0.0
    overdue: bool = False
    blamed: bool = False

    @property
    def status(self) -> ReplicateStatus:
        """The last status of the history."""
        return self.history[-1].status

    @property
    def last_relevant_change(self) -> ReplicateChange:
        """The last entry whose status is neither WORKER_LOST nor RECOVERING (core spec §2.1)."""
        last = self.history[-1]
        if last.status not in INTERLUDE_REPLICATE_STATUSES:
            return last
        return next(c for c in reversed(self.history) if c.status not in INTERLUDE_REPLICATE_STATUSES)

    @property
    def last_relevant(self) -> ReplicateStatus:
        """The last status that is neither WORKER_LOST nor RECOVERING (core spec §2.1)."""
        return self.last_relevant_change.status

    def has_reached(self, status: ReplicateStatus) -> bool:
        """Return whether the history contains this status."""
        for change in self.history:  # noqa: SIM110 - called for every update; a generator costs three times as much
            if change.status is status:
                return True
        return False


@dataclass(slots=True)
class Task:
    """One task of a deal, with its replicates by wallet.

    `initialization_block` is 0 while the task is not initialized on chain. `claim_due`: the task ended in core but is
    open on chain; it is claimed at its final deadline to refund the requester. `final_block` is the block of the
    finalization or claim that closed an ended task on chain, or the block of the read that showed nothing to close; 0
    before that, and again after a reorganisation removed that block. `error_cause` and `error_message` are the failure
    that the result stands for, or that ended the task.
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
    error_cause: ReplicateStatusCause | None = None
    error_message: str = ""

    @property
    def status(self) -> TaskStatus:
        """The last status of the history."""
        return self.history[-1].status

    @property
    def ended(self) -> bool:
        """Whether the task is COMPLETED or FAILED."""
        return self.history[-1].status in FINAL_TASK_STATUSES

    def copy(self) -> "Task":
        """Return the task and its replicates as they are now; later changes of either do not reach the other."""
        replicates = {w: replace(item, history=list(item.history)) for w, item in self.replicates.items()}
        return replace(self, history=list(self.history), replicates=replicates)

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
    """The hardware and software of a worker's host, as its Hello describes them.

    `slot_memory_bytes` is the memory limit of an app's container; 0 when the worker does not report it.
    """

    name: str
    version: str
    os: str
    cpu: str
    slots: int
    memory_bytes: int
    gpus: int = 0
    sgx: bool = False
    tdx: bool = False
    slot_memory_bytes: int = 0

    @property
    def memory_of_slot(self) -> int:
        """The memory of one slot in bytes."""
        return self.slot_memory_bytes or self.memory_bytes // max(self.slots, 1)


@dataclass(slots=True)
class Worker:
    """A worker that has registered at least once. `last_seen` is the time of its last message.

    `successes` counts its contributions that a completed task confirmed; they raise its limit on paid deals.
    `quarantined_until` is the end of a quarantine after failures, `suspended_until` of one by an operator.
    """

    wallet: str
    model: WorkerModel
    registered_at: float
    last_seen: float
    lost: bool = False
    drained_until: float = 0.0
    quarantined_until: float = 0.0
    consecutive_failures: int = 0
    successes: int = 0
    suspended_until: float = 0.0

    @property
    def quarantine_end(self) -> float:
        """The end of its quarantine, for either reason (Unix seconds); infinity when only an operator ends it."""
        return max(self.quarantined_until, self.suspended_until)
