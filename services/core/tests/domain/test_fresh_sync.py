"""After a reorganisation the tasks equal those of a scheduler that only followed the new branch."""

from random import Random
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import DealTerms, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.domain.snapshot import Snapshot
from workerpool_core.simulation.chain.chain import Chain
from workerpool_core.simulation.chain.hub import HubTask, Transaction, is_finalizable
from workerpool_core.simulation.clock import Clock
from workerpool_core.simulation.deals import deal_terms, tasks_of
from workerpool_core.simulation.ledger import Ledger
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus, TaskStatus

T = 600
START = 1_700_000_000.0
TRUST, WALLETS = 5, ("0xW1", "0xW2", "0xW3")
RESULT = "0x" + "aa" * 32
DEALS = 12
BEFORE = 70
"""Blocks until the reorganisation; every sixth has a deal, which completes within about twelve blocks."""
S = ChainTaskStatus
OPEN = (TaskStatus.RECEIVED, TaskStatus.INITIALIZING, TaskStatus.INITIALIZED, TaskStatus.RUNNING)


class Follower:
    """A scheduler with three workers that follows a chain; `Market` sends the transactions."""

    def __init__(self, chain: Chain, now: float) -> None:
        self.chain, self.now = chain, now
        self.ledger = Ledger()
        self.scheduler = Scheduler(Policy(), Random(1), Snapshot())
        self.reads: dict[TaskId, d.ReadTask] = {}
        self.asked: dict[TaskId, d.RequestTransaction] = {}
        self.at = chain.blocks[0].hash
        for wallet in WALLETS:
            self.tell(
                e.WorkerConnected(wallet, wallet, WorkerModel(wallet, "1", "linux", "x86", 64, 1 << 34))
            )
        self.tell(e.WeightsRead(tuple((wallet, 2) for wallet in WALLETS)))

    def tell(self, event: e.Event) -> None:
        outcome = self.scheduler.handle(event, self.now)
        for write in outcome.writes:
            self.ledger.apply(write)
        for effect in outcome.effects:
            if isinstance(effect, d.ReadTask):
                self.reads[effect.task_id] = effect
            elif isinstance(effect, d.RequestTransaction):
                self.asked[effect.task_id] = effect

    def follow(self) -> None:
        """Follow the chain block by block to its head."""
        ancestor = self.chain.ancestor(self.at)
        if ancestor.hash != self.at:
            self.tell(e.BlocksReverted(ancestor.number))
        for block in self.chain.blocks[ancestor.number + 1 :]:
            self.now = max(self.now, block.timestamp)
            self.tell(block.seen())
            self.at = block.hash
        self.answer()

    def answer(self) -> None:
        """Answer the reads, and the requested transactions as an adapter that only sees mined ones."""
        reads, self.reads = self.reads, {}
        head = self.chain.head.number
        for name, read in reads.items():
            found = self.chain.view_contributions(name, read.wallets)
            answer = e.TaskRead(name, head, self.chain.view_task(name), found, read.requested_at)
            self.tell(e.TasksRead((answer,)))
        asked, self.asked = self.asked, {}
        for name, request in asked.items():
            known = name in self.chain.head.state
            done = known and self.chain.head.state[name].status is S.COMPLETED
            if not known or (done and request.kind is e.TransactionKind.FINALIZE):
                self.tell(e.TransactionAnswered(name, request.kind, done, reason="" if done else "unknown"))

    def wait(self, seconds: int) -> None:
        """Let time pass with heartbeats and without blocks."""
        for _ in range(0, seconds, 10):
            self.now += 10
            self.tell(e.HeartbeatsReceived(tuple((wallet, wallet) for wallet in WALLETS)))
            self.tell(e.Tick())
            self.answer()
        self.tell(e.ReconcileDue())
        self.answer()

    def completed(self) -> set[TaskId]:
        return {name for name, task in self.ledger.tasks.items() if task.status is TaskStatus.COMPLETED}

    def record(self, name: TaskId, *without: str) -> dict[str, object]:
        """Return the stored values of a task that the chain determines."""
        task = self.ledger.tasks[name]
        record = {
            "phase": "contributing" if task.status in OPEN else task.status.value,
            "terms": task.terms,
            "initialization": task.initialization_block,
            "consensus": (task.consensus, task.consensus_block, task.reveal_deadline, task.winner_count),
            "contributions": {
                wallet: self.ledger.replicates[name, wallet].contribution_hash
                for wallet in WALLETS
                if (name, wallet) in self.ledger.replicates
                and self.ledger.replicates[name, wallet].contribution_hash
            },
        }
        return {field: value for field, value in record.items() if field not in without}


class Market:
    """The senders of all transactions: requesters, workers and the pool owner."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clock = Clock(START)
        self.chain = Chain(self.clock, self.random, tasks_of)
        self.chain.hub.weights.update(dict.fromkeys(WALLETS, 2))
        self.deals = [terms(number) for number in range(DEALS)]

    def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            self.clock.now += 1
            number = self.chain.head.number
            if number % 6 == 0 and self.deals:
                self.chain.send(Transaction("match", TaskId(""), terms=self.deals.pop()))
            for name, task in self.chain.head.state.items():
                for kind, sender in self.due(task):
                    if self.random.random() < 0.3:
                        self.chain.send(Transaction(kind, name, sender, RESULT))
            self.chain.mempool, early = self.split_mempool()
            self.chain.mine()
            self.chain.mempool += early

    def split_mempool(self) -> tuple[list[Transaction], list[Transaction]]:
        """Split the mempool: a contribution cannot be in the block of its task's initialization."""
        state = self.chain.head.state
        early = [
            t
            for t in self.chain.mempool
            if t.kind == "contribute" and (t.task_id not in state or state[t.task_id].status is S.UNSET)
        ]
        return [t for t in self.chain.mempool if t not in early], early

    def due(self, task: HubTask) -> list[tuple[str, str]]:
        match task.status:
            case S.UNSET:
                return [("initialize", "")]
            case S.ACTIVE:
                return [("contribute", wallet) for wallet in WALLETS if wallet not in task.contributions]
            case S.REVEALING if is_finalizable(task, self.chain.head.timestamp):
                return [("finalize", "")]
            case S.REVEALING:
                missing = ContributionStatus.CONTRIBUTED
                return [("reveal", w) for w, (status, _) in task.contributions.items() if status is missing]
        return []

    def reorganise(self, depth: int) -> None:
        """Replace the newest blocks; a third of their transactions is lost."""
        self.chain.reorganise(depth)
        self.chain.mempool = [t for t in self.chain.mempool if self.random.random() < 0.67]
        self.mine(depth + 1)


def terms(number: int) -> DealTerms:
    deal_id = DealId(f"0x{number + 1:064x}")
    return deal_terms(deal_id, start=START, execution_s=T, trust=TRUST, bot_size=2)


def synchronised(chain: Chain) -> Follower:
    """Return a scheduler that follows a chain for the first time."""
    fresh = Follower(chain, START)
    fresh.follow()
    fresh.wait(10)
    return fresh


@pytest.mark.parametrize("depth", [1, 2, 5, 12, 30, 64])
@pytest.mark.parametrize("seed", range(12))
def test_the_tasks_equal_those_of_a_fresh_sync(seed: int, depth: Any) -> None:
    market = Market(seed)
    veteran = Follower(market.chain, START)
    for _ in range(BEFORE):
        market.mine(1)
        veteran.follow()
    over = veteran.completed()
    market.reorganise(depth)
    veteran.follow()
    veteran.wait(10)
    fresh = synchronised(market.chain)

    # A task that was revealed on the lost branch cannot go back; both reach the same status in the end.
    for name, task in fresh.ledger.tasks.items():
        if (known := veteran.ledger.tasks[name]).status in (*OPEN, TaskStatus.CONSENSUS_REACHED):
            assert veteran.record(name) == fresh.record(name), (task.status, known.status)

    while any(task.status is not S.COMPLETED for task in market.chain.head.state.values()) or market.deals:
        market.mine(1)
        veteran.follow()
    market.clock.now = veteran.now = max(market.clock.now, veteran.now)
    veteran.wait(200)
    fresh = synchronised(market.chain)
    assert len(fresh.ledger.tasks) >= DEALS
    assert fresh.ledger.tasks
    for name in fresh.ledger.tasks:
        # An ended task keeps its blocks.
        changed = ("initialization", "consensus") if name in over else ()
        assert veteran.record(name, *changed) == fresh.record(name, *changed)
        assert veteran.record(name)["phase"] == "COMPLETED"

    gone = veteran.ledger.tasks.keys() - fresh.ledger.tasks.keys() - over
    if any(not veteran.ledger.tasks[name].ended for name in gone):
        veteran.wait(10 * T)
        market.clock.now = veteran.now
        market.chain.mine()
        veteran.follow()
        veteran.wait(10)
    for name in gone:
        task = veteran.ledger.tasks[name]
        assert task.status is TaskStatus.FAILED, "its deal is gone"
        veteran.tell(e.TransactionAnswered(name, e.TransactionKind.CLAIM, False, reason="DEAL_NOT_FOUND"))
        assert not task.claim_due
