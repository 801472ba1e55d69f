"""The scheduler's memory: what the store holds of live tasks, and what only this process knows."""

from collections import deque
from dataclasses import dataclass, field
from random import Random

from workerpool_poco.protocol.statuses import FINAL_REPLICATE_STATUSES, TaskStatus

from workerpool_core.domain.dispatch.supply import FreeWorkers, WaitingTasks
from workerpool_core.domain.events import TransactionKind, Update
from workerpool_core.domain.model import Replicate, Task, Worker
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.replicates.replicate_machine import SLOT_STATUSES
from workerpool_core.domain.snapshot import Snapshot
from workerpool_core.domain.timers import Timers


@dataclass(slots=True)
class Parked:
    """Reports of one replicate that wait, in order, until the first is proven or its time is up.

    `since` is when the first began to wait, `asked_again` whether its worker was asked to do it once more.
    """

    session: str
    updates: deque[Update]
    since: float
    until: float
    asked_again: bool = False


@dataclass(slots=True)
class State:
    """All of it. Tasks and replicates only change through a `Turn`, which also records the writes.

    `ended` are tasks that are over and forgotten, so that a replayed deal does not bring them back.
    `fruitless` is the version of `waiting` at which a worker last found nothing. `held` are the tasks of each
    worker's unfinished replicates, `busy` those that take a slot. `doomed` says for what
    reason, and since when, a task is to fail once the chain was read. `unconvinced` are tasks that the chain was
    read to have no consensus on although the forecast sees one. `refused` says when the
    adapter refused a transaction, until the chain was asked about it; `struck` since when it refused one although
    the chain would have taken it: once may be a matter of timing, twice is final. `refusals` are the refused
    updates of each worker's session, so that a repeated sequence gets the same answer. `head` is the block up to
    which the chain was followed, 0 before the first, `chain_time` the time that this block bears: one that is on its
    way may still be from before a deadline that has passed here. `ahead` are the tasks about which more is known
    than was followed: by which block that can have happened, and which transaction it was if it was one of ours.
    """

    policy: Policy
    random: Random
    tasks: dict[str, Task] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    timers: Timers = field(default_factory=Timers)
    waiting: WaitingTasks = field(default_factory=WaitingTasks)
    free: FreeWorkers = field(default_factory=FreeWorkers)
    fruitless: dict[str, int] = field(default_factory=dict)
    held: dict[str, set[str]] = field(default_factory=dict)
    busy: dict[str, set[str]] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    unconvinced: set[str] = field(default_factory=set)
    doomed: dict[str, tuple[TaskStatus, float]] = field(default_factory=dict)
    command_floor: dict[str, int] = field(default_factory=dict)
    parked: dict[tuple[str, str], Parked] = field(default_factory=dict)
    refused: dict[tuple[str, TransactionKind], float] = field(default_factory=dict)
    struck: dict[tuple[str, TransactionKind], float] = field(default_factory=dict)
    refusals: dict[str, dict[int, str]] = field(default_factory=dict)
    chain_up: bool = True
    head: int = 0
    chain_time: float = 0.0
    ahead: dict[str, tuple[int, TransactionKind | None]] = field(default_factory=dict)
    started_at: float = 0.0
    reverted_at: float = float("-inf")

    def take(self, snapshot: Snapshot) -> None:
        """Take over the durable state."""
        self.head = snapshot.head
        self.ended.update(snapshot.ended)
        for worker in snapshot.workers:
            worker.session = ""
            worker.last_sequence = 0
            self.workers[worker.wallet] = worker
        for command in snapshot.commands:
            if (owner := self.workers.get(command.wallet)) is not None:
                owner.pending[command.sequence] = command
                floor = self.command_floor.get(command.wallet, 0)
                self.command_floor[command.wallet] = max(floor, command.sequence)
        for task in snapshot.tasks:
            self.tasks[task.task_id] = task
            for replicate in task.replicates.values():
                self.index(replicate)

    def index(self, replicate: Replicate) -> None:
        """Bring the indexes of a replicate's worker up to date with its status."""
        wallet, task_id = replicate.wallet, replicate.task_id
        status = replicate.last_relevant
        if status in FINAL_REPLICATE_STATUSES:
            self.held.get(wallet, _NOBODY).discard(task_id)
            self.busy.get(wallet, _NOBODY).discard(task_id)
            return
        self.held.setdefault(wallet, set()).add(task_id)
        if status in SLOT_STATUSES:
            self.busy.setdefault(wallet, set()).add(task_id)
        else:
            self.busy.get(wallet, _NOBODY).discard(task_id)

    def unindex(self, replicate: Replicate) -> None:
        """Forget a replicate whose task leaves the memory."""
        self.held.get(replicate.wallet, _NOBODY).discard(replicate.task_id)
        self.busy.get(replicate.wallet, _NOBODY).discard(replicate.task_id)


_NOBODY: set[str] = set()
