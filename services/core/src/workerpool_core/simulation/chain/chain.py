"""A chain with blocks, a mempool and reorganisations."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus

from workerpool_core.domain.events import BlockSeen, DealSeen, TaskLog
from workerpool_core.domain.model import DealTerms, Receipt
from workerpool_core.simulation.chain.hub import BlockDraft, Done, Hub, HubTask, Transaction
from workerpool_core.simulation.clock import Clock


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its transactions, its logs and the state after it."""

    number: int
    hash: str
    timestamp: float
    transactions: tuple[Transaction, ...]
    deals: tuple[DealSeen, ...]
    logs: tuple[TaskLog, ...]
    state: dict[TaskId, HubTask]

    def seen(self) -> BlockSeen:
        """Return the event that reports the block to the scheduler."""
        return BlockSeen(self.number, self.hash, self.timestamp, self.deals, self.logs)


class Chain:
    """A model of the node.

    `lag_s` is the difference between the clock and the timestamp of a new block. A `sequenced` chain makes blocks only
    for transactions.
    """

    def __init__(self, clock: Clock, random: Random, tasks_of: Callable[[DealTerms], list[TaskId]]) -> None:
        self._clock = clock
        self._random = random
        self._mined = 0
        self.hub = Hub(tasks_of)
        self.mempool: list[Transaction] = []
        self.blocks = [Block(0, "0x0", clock.now, (), (), (), {})]
        self.by_hash = {"0x0": self.blocks[0]}
        self.parents: dict[str, str] = {}
        self.down = False
        self.lag_s = random.choice((0.0, random.uniform(0.0, 6.0)))
        self.sequenced = random.random() < 0.3

    @property
    def head(self) -> Block:
        """The newest block."""
        return self.blocks[-1]

    def send(self, transaction: Transaction) -> None:
        """Add a transaction to the mempool."""
        self.mempool.append(transaction)

    def mine(self) -> None:
        """Mine a block from the mempool; some transactions wait for the next."""
        chosen = [t for t in self.mempool if self._random.random() < 0.9]
        self.mempool = [t for t in self.mempool if t not in chosen]
        self._random.shuffle(chosen)
        chosen.sort(key=lambda transaction: transaction.kind != "match")
        timestamp = max(self._clock.now - self.lag_s, self.head.timestamp)
        draft = BlockDraft(self.head.number + 1, timestamp, dict(self.head.state))
        self._mined += 1
        for transaction in chosen:
            receipt = Receipt(draft.number, f"0xt{id(transaction):x}")
            succeeded = self.hub.apply(draft, transaction, receipt)
            if transaction.done is not None:
                delay = self._random.uniform(0.01, 1.0)
                self._clock.later(delay, _call(transaction.done, succeeded, draft.number))
        block = Block(
            draft.number,
            f"0x{self._mined:x}",
            timestamp,
            tuple(chosen),
            tuple(draft.deals),
            tuple(draft.logs),
            draft.state,
        )
        self.parents[block.hash] = self.head.hash
        self.by_hash[block.hash] = block
        self.blocks.append(block)

    def reorganise(self, depth: int) -> None:
        """Remove the newest blocks and return their transactions to the mempool, except for some of workers.

        Those of the adapter always return, because the real adapter resends a missing transaction.
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
        """Return the newest block of the current chain from which a block, possibly orphaned, descends."""
        while True:
            block = self.by_hash[block_hash]
            if block.number < len(self.blocks) and self.blocks[block.number].hash == block_hash:
                return block
            block_hash = self.parents[block_hash]

    # --- views ------------------------------------------------------------------------------

    def task(self, task_id: TaskId) -> HubTask | None:
        """Return a task at the newest block; None while it is UNSET."""
        found = self.head.state.get(task_id)
        return None if found is None or found.status is ChainTaskStatus.UNSET else found

    def view_task(self, task_id: TaskId) -> ChainTask | None:
        """Return a task like the hub's `viewTask`."""
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
        """Return contributions by wallet like the hub's `viewContribution`, including contributors not asked for."""
        task = self.head.state.get(task_id)
        wallets = tuple(dict.fromkeys((*wallets, *(task.contributions if task else ()))))
        unset = (ContributionStatus.UNSET, "0x")
        return {
            wallet: Contribution(status, bytes.fromhex(value[2:]), b"", ZERO_ADDRESS, 1)
            for wallet in wallets
            for status, value in [task.contributions.get(wallet, unset) if task else unset]
        }


def _call(done: Done, succeeded: bool, number: int) -> Callable[[], None]:
    return lambda: done(succeeded, number)
