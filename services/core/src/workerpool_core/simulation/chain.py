"""A chain with the hub's rules for tasks (core spec §6), blocks, a mempool, and reorganisations."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from workerpool_poco.protocol.consensus import consensus_reached
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus

from workerpool_core.domain.events import BlockSeen, DealSeen, TaskLog, TaskLogKind
from workerpool_core.domain.model import DealTerms, Receipt
from workerpool_core.simulation.clock import Clock

_S = ChainTaskStatus
_C = ContributionStatus
_L = TaskLogKind


@dataclass(slots=True)
class OnChain:
    """A task as the hub keeps it. Never changed in place: blocks share it."""

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
    """Something sent to the chain; `done` is told whether it succeeded and in which block."""

    kind: str
    task_id: TaskId
    sender: str = ""
    value: str = ""
    terms: DealTerms | None = None
    done: Callable[[bool, int], None] | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its transactions, its logs and the state after it."""

    number: int
    hash: str
    timestamp: float
    transactions: tuple[Transaction, ...]
    deals: tuple[DealSeen, ...]
    logs: tuple[TaskLog, ...]
    state: dict[TaskId, OnChain]

    def seen(self) -> BlockSeen:
        """Return the block as the scheduler is told of it."""
        return BlockSeen(self.number, self.hash, self.timestamp, self.deals, self.logs)


class Chain:
    """The node. `ever` remembers what stood on any branch at any time, as (what, task, who or which value).

    `lag_s` is how old a block is when it is seen.
    """

    def __init__(self, clock: Clock, random: Random, tasks_of: Callable[[DealTerms], list[TaskId]]) -> None:
        self._clock = clock
        self._random = random
        self._tasks_of = tasks_of
        self._hashes = 0
        self.mempool: list[Transaction] = []
        self.blocks = [Block(0, "0x0", clock.now, (), (), (), {})]
        self.by_hash = {"0x0": self.blocks[0]}
        self.parents: dict[str, str] = {}
        self.ever: set[tuple[str, str, str]] = set()
        self.weights: dict[str, int] = {}
        self.down = False
        self.lag_s = random.choice((0.0, random.uniform(0.0, 6.0)))

    @property
    def head(self) -> Block:
        """The newest block."""
        return self.blocks[-1]

    @property
    def _time(self) -> float:
        """The time that a block bears which is mined now."""
        return max(self._clock.now - self.lag_s, self.head.timestamp)

    def send(self, transaction: Transaction) -> None:
        """Put a transaction into the mempool."""
        self.mempool.append(transaction)

    def mine(self) -> None:
        """Mine a block from the mempool; some transactions wait for the next."""
        chosen = [t for t in self.mempool if self._random.random() < 0.9]
        self.mempool = [t for t in self.mempool if t not in chosen]
        self._random.shuffle(chosen)
        chosen.sort(key=lambda transaction: transaction.kind != "match")
        state = dict(self.head.state)
        number = self.head.number + 1
        self._hashes += 1
        logs: list[TaskLog] = []
        deals: list[DealSeen] = []
        for transaction in chosen:
            place = Receipt(number, f"0xt{id(transaction):x}")
            ok = self._apply(state, transaction, place, logs, deals)
            if transaction.done is not None:
                self._clock.later(self._random.uniform(0.01, 1.0), _told(transaction.done, ok, number))
        block = Block(
            number,
            f"0x{self._hashes:x}",
            self._time,
            tuple(chosen),
            tuple(deals),
            tuple(logs),
            state,
        )
        self.parents[block.hash] = self.head.hash
        self.by_hash[block.hash] = block
        self.blocks.append(block)

    def reorganise(self, depth: int) -> None:
        """Remove the newest blocks; their transactions are mined again, but for some of workers'.

        The adapter notices by itself that one of its own is missing, and sends it again.
        """
        depth = min(depth, len(self.blocks) - 1)
        if depth <= 0:
            return
        removed = self.blocks[-depth:]
        del self.blocks[-depth:]
        for block in removed:
            for transaction in block.transactions:
                lost = transaction.sender and self._random.random() < 0.15
                if not lost:
                    self.mempool.append(replace(transaction, done=None))

    def ancestor(self, block_hash: str) -> Block:
        """Return the newest block of the present chain that a (maybe orphaned) block descends from."""
        while True:
            block = self.by_hash[block_hash]
            if block.number < len(self.blocks) and self.blocks[block.number].hash == block_hash:
                return block
            block_hash = self.parents[block_hash]

    # --- the hub ----------------------------------------------------------------------------

    def _apply(
        self,
        state: dict[TaskId, OnChain],
        transaction: Transaction,
        place: Receipt,
        logs: list[TaskLog],
        deals: list[DealSeen],
    ) -> bool:
        """Apply a transaction; return whether it succeeded."""
        now, task_id, sender = self._time, transaction.task_id, transaction.sender
        if transaction.kind == "match":
            assert transaction.terms is not None
            terms = replace(transaction.terms, block=place.block)
            deals.append(DealSeen(terms))
            for name in self._tasks_of(terms):
                state[name] = OnChain(terms)
            return True
        old = state.get(task_id)
        if old is None:
            return False
        task = replace(old, contributions=dict(old.contributions))
        terms = task.terms
        before = len(logs)

        def log(kind: TaskLogKind, worker: str = "", value: str = "") -> None:
            logs.append(TaskLog(kind, task_id, place, worker, value))
            self.ever.add((kind.value, task_id, worker or value))

        match transaction.kind:
            case "initialize" if task.status is _S.UNSET and now < terms.contribution_deadline:
                task.status = _S.ACTIVE
                log(_L.INITIALIZE)
            case "contribute" if (
                task.status is _S.ACTIVE
                and now < terms.contribution_deadline
                and sender not in task.contributions
            ):
                task.contributions[sender] = (_C.CONTRIBUTED, transaction.value)
                log(_L.CONTRIBUTE, sender, transaction.value)
                self._check_consensus(task, transaction.value, log)
            case "contribute_and_finalize" if (
                task.status is _S.ACTIVE and now < terms.contribution_deadline and not task.contributions
            ):
                task.contributions[sender] = (_C.PROVED, transaction.value)
                task.consensus, task.winners, task.reveals = transaction.value, 1, 1
                task.status, task.results = _S.COMPLETED, "caf"
                log(_L.CONTRIBUTE, sender, transaction.value)
                log(_L.CONSENSUS, "", transaction.value)
                log(_L.REVEAL, sender, "0xdd")
                log(_L.FINALIZE, "", "0x636166")
            case "reveal" if (
                task.status is _S.REVEALING
                and now < task.reveal_deadline
                and task.contributions.get(sender) == (_C.CONTRIBUTED, task.consensus)
            ):
                task.contributions[sender] = (_C.PROVED, task.consensus)
                task.reveals += 1
                log(_L.REVEAL, sender, "0xdd")
            case "reopen" if (
                task.status is _S.REVEALING
                and task.reveal_deadline <= now < terms.final_deadline
                and not task.reveals
            ):
                for wallet, (_, value) in task.contributions.items():
                    if value == task.consensus:
                        task.contributions[wallet] = (_C.REJECTED, value)
                task.status, task.consensus, task.winners = _S.ACTIVE, "", 0
                log(_L.REOPEN)
            case "finalize" if is_finalizable(task, now):
                task.status, task.results = _S.COMPLETED, transaction.value
                log(_L.FINALIZE, "", "0x" + transaction.value.encode().hex())
            case "claim" if task.status in (_S.ACTIVE, _S.REVEALING) and now >= terms.final_deadline:
                task.status = _S.FAILED
                log(_L.CLAIMED)
        if len(logs) == before:
            return False
        state[task_id] = task
        return True

    def _check_consensus(self, task: OnChain, value: str, log: Callable[..., None]) -> None:
        groups: dict[str, int] = {}
        for wallet, (status, contributed) in task.contributions.items():
            if status is not _C.REJECTED:
                groups[contributed] = max(groups.get(contributed, 0), 1) * self.weights[wallet]
        if consensus_reached(groups[value], groups.values(), task.terms.trust):
            task.status, task.consensus = _S.REVEALING, value
            task.reveal_deadline = self._time + 2 * task.terms.max_execution_s
            task.winners = sum(v == value and s is _C.CONTRIBUTED for s, v in task.contributions.values())
            task.reveals = 0
            log(_L.CONSENSUS, "", value)

    # --- views ------------------------------------------------------------------------------

    def task(self, task_id: TaskId) -> OnChain | None:
        """Return a task of the newest block; None while UNSET."""
        found = self.head.state.get(task_id)
        return None if found is None or found.status is _S.UNSET else found

    def view_task(self, task_id: TaskId) -> ChainTask | None:
        """Return a task as `viewTask` does."""
        task = self.task(task_id)
        if task is None:
            return None
        terms = task.terms
        return ChainTask(
            task_id=task_id,
            status=task.status,
            deal_id=terms.deal_id,
            index=0,
            category_time=terms.max_execution_s,
            contribution_deadline=terms.contribution_deadline,  # type: ignore[arg-type]
            reveal_deadline=task.reveal_deadline,  # type: ignore[arg-type]
            final_deadline=terms.final_deadline,  # type: ignore[arg-type]
            consensus_value=bytes.fromhex(task.consensus[2:]),
            reveal_counter=task.reveals,
            winner_counter=task.winners,
            contributors=tuple(task.contributions),
            result_digest=b"",
            results=task.results.encode(),
            results_timestamp=0,
            results_callback=b"",
        )

    def view_contributions(self, task_id: TaskId, wallets: tuple[str, ...]) -> dict[str, Contribution]:
        """Return contributions as `viewContribution` does."""
        task = self.head.state.get(task_id)
        unset = (_C.UNSET, "0x")
        return {
            wallet: Contribution(status, bytes.fromhex(value[2:]), b"", ZERO_ADDRESS, 1)
            for wallet in wallets
            for status, value in [task.contributions.get(wallet, unset) if task else unset]
        }


def is_finalizable(task: OnChain, now: float) -> bool:
    """Tell whether finalize would succeed in a block of this time."""
    enough = task.reveals == task.winners or (task.reveals > 0 and now >= task.reveal_deadline)
    return task.status is _S.REVEALING and now < task.terms.final_deadline and enough


def _told(done: Callable[[bool, int], None], ok: bool, number: int) -> Callable[[], None]:
    return lambda: done(ok, number)
