"""The hub's rules for tasks (core spec §6)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from workerpool_poco.protocol.consensus import consensus_reached
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus

from workerpool_core.domain.events import DealSeen, TaskLog, TaskLogKind
from workerpool_core.domain.model import DealTerms, Receipt

_S = ChainTaskStatus
_C = ContributionStatus
_L = TaskLogKind
Done = Callable[[bool, int], None]
"""Receives whether a transaction succeeded, and its block."""


@dataclass(slots=True)
class HubTask:
    """A task in the hub; blocks share it, so it is copied before a change."""

    terms: DealTerms
    status: ChainTaskStatus = _S.UNSET
    contributions: dict[str, tuple[ContributionStatus, str]] = field(default_factory=dict)
    consensus: str = ""
    reveal_deadline: float = 0.0
    winners: int = 0
    reveals: int = 0
    results: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Transaction:
    """A transaction; `done` is called when it is mined."""

    kind: str
    task_id: TaskId
    sender: str = ""
    value: str = ""
    terms: DealTerms | None = None
    done: Done | None = None


@dataclass(slots=True)
class BlockDraft:
    """The state, logs and deals of the block being mined; `timestamp` is in Unix seconds."""

    number: int
    timestamp: float
    state: dict[TaskId, HubTask]
    logs: list[TaskLog] = field(default_factory=list)
    deals: list[DealSeen] = field(default_factory=list)


class Hub:
    """A model of the hub, which applies transactions.

    `history` has every log of any branch, as (event, task id, worker or value), and `logged` without the last part.
    `weights` are the contribution weights by wallet, `stakes` their free stakes: enough for all contributions, or 0.
    """

    def __init__(self, tasks_of: Callable[[DealTerms], list[TaskId]]) -> None:
        self._tasks_of = tasks_of
        self.history: set[tuple[str, str, str]] = set()
        self.logged: set[tuple[str, str]] = set()
        self.weights: dict[str, int] = {}
        self.stakes: dict[str, int] = {}

    def apply(self, block: BlockDraft, transaction: Transaction, receipt: Receipt) -> bool:
        """Apply a transaction; return whether it succeeded."""
        if transaction.kind == "match":
            self._match(block, transaction, receipt)
            return True
        task_id, now = transaction.task_id, block.timestamp
        old = block.state.get(task_id)
        if old is None:
            return False
        task = replace(old, contributions=dict(old.contributions))
        logs: list[TaskLog] = []

        def log(kind: TaskLogKind, worker: str = "", value: str = "") -> None:
            logs.append(TaskLog(kind, task_id, receipt, worker, value))

        match transaction.kind:
            case "initialize" if task.status is _S.UNSET and now < task.terms.contribution_deadline:
                task.status = _S.ACTIVE
                log(_L.INITIALIZE)
            case "contribute" | "contribute_and_finalize":
                self._contribute(task, transaction, now, log)
            case "reveal":
                self._reveal(task, transaction.sender, now, log)
            case "reopen":
                self._reopen(task, now, log)
            case "finalize" if is_finalizable(task, now):
                task.status, task.results = _S.COMPLETED, transaction.value
                log(_L.FINALIZE, "", "0x" + transaction.value.encode().hex())
            case "initialize_and_claim" if task.status is _S.UNSET and now >= task.terms.final_deadline:
                task.status = _S.FAILED
                log(_L.INITIALIZE)
                log(_L.CLAIMED)
            case "claim" if task.status in (_S.ACTIVE, _S.REVEALING) and now >= task.terms.final_deadline:
                task.status = _S.FAILED
                log(_L.CLAIMED)
        if not logs:
            return False
        block.logs.extend(logs)
        self.logged.update((entry.kind.value, task_id) for entry in logs)
        self.history.update((entry.kind.value, task_id, entry.worker or entry.value) for entry in logs)
        block.state[task_id] = task
        return True

    def _match(self, block: BlockDraft, transaction: Transaction, receipt: Receipt) -> None:
        assert transaction.terms is not None
        terms = replace(transaction.terms, block=receipt.block)
        block.deals.append(DealSeen(terms))
        for name in self._tasks_of(terms):
            block.state[name] = HubTask(terms)

    def _contribute(
        self, task: HubTask, transaction: Transaction, now: float, log: Callable[..., None]
    ) -> None:
        sender, value = transaction.sender, transaction.value
        if task.status is not _S.ACTIVE or now >= task.terms.contribution_deadline:
            return
        if self.stakes.get(sender, 0) < task.terms.worker_stake:
            return
        if transaction.kind == "contribute":
            if sender not in task.contributions:
                task.contributions[sender] = (_C.CONTRIBUTED, value)
                log(_L.CONTRIBUTE, sender, value)
                self._check_consensus(task, value, now, log)
        elif not task.contributions:
            task.contributions[sender] = (_C.PROVED, value)
            task.consensus, task.winners, task.reveals = value, 1, 1
            task.status, task.results = _S.COMPLETED, "caf"
            log(_L.CONTRIBUTE, sender, value)
            log(_L.CONSENSUS, "", value)
            log(_L.REVEAL, sender, "0xdd")
            log(_L.FINALIZE, "", "0x636166")

    def _check_consensus(self, task: HubTask, value: str, now: float, log: Callable[..., None]) -> None:
        groups: dict[str, int] = {}
        for wallet, (status, contributed) in task.contributions.items():
            if status is not _C.REJECTED:
                groups[contributed] = max(groups.get(contributed, 0), 1) * self.weights[wallet]
        if consensus_reached(groups[value], groups.values(), task.terms.trust):
            task.status, task.consensus = _S.REVEALING, value
            task.reveal_deadline = now + 2 * task.terms.max_execution_s
            task.winners = sum(v == value and s is _C.CONTRIBUTED for s, v in task.contributions.values())
            task.reveals = 0
            log(_L.CONSENSUS, "", value)

    @staticmethod
    def _reveal(task: HubTask, sender: str, now: float, log: Callable[..., None]) -> None:
        is_winner = task.contributions.get(sender) == (_C.CONTRIBUTED, task.consensus)
        if task.status is _S.REVEALING and now < task.reveal_deadline and is_winner:
            task.contributions[sender] = (_C.PROVED, task.consensus)
            task.reveals += 1
            log(_L.REVEAL, sender, "0xdd")

    @staticmethod
    def _reopen(task: HubTask, now: float, log: Callable[..., None]) -> None:
        in_time = task.reveal_deadline <= now < task.terms.final_deadline
        if task.status is _S.REVEALING and in_time and not task.reveals:
            for wallet, (_, value) in task.contributions.items():
                if value == task.consensus:
                    task.contributions[wallet] = (_C.REJECTED, value)
            task.status, task.consensus, task.winners = _S.ACTIVE, "", 0
            log(_L.REOPEN)


def is_finalizable(task: HubTask, now: float) -> bool:
    """Return whether `finalize` succeeds in a block with this timestamp."""
    enough = task.reveals == task.winners or (task.reveals > 0 and now >= task.reveal_deadline)
    return task.status is _S.REVEALING and now < task.terms.final_deadline and enough
