"""The scheduler's memory: every live task and worker, and the indexes over them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import FINAL_REPLICATE_STATUSES

from workerpool_core.domain.dispatch.free_workers import FreeWorkers
from workerpool_core.domain.dispatch.supply import WaitingTasks
from workerpool_core.domain.events import ChainHealthChanged
from workerpool_core.domain.live import LiveDeal, LiveTask, LiveWorker
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.replicates.replicate_machine import SLOT_STATUSES
from workerpool_core.domain.snapshot import Snapshot
from workerpool_core.domain.timers import Timers


@dataclass(slots=True)
class State:
    """All state of the scheduler. Tasks and replicates change only through `transitions`, which records the writes.

    * `deals`: those before their contribution deadline; a replayed block creates none of their tasks again.
    * `bags`: the deals with tasks that are not created yet; `refills`: those of them that may get tasks now, each with
      whether its window is already being filled.
    * `verdicts`: what the workers lack for a trust and a tag, until the workers change.
    * `whitelist`: the wallets that get work; empty admits all.
    * `slots`: the slots of all connected workers.
    * `unfollowed`: the tasks with an `UnfollowedChange`.
    * `head`: the newest followed block, 0 before the first; `chain_time`: its timestamp. A later block may have a time
      before a deadline that the clock has passed.
    """

    policy: Policy
    random: Random
    tasks: dict[TaskId, LiveTask] = field(default_factory=dict)
    workers: dict[str, LiveWorker] = field(default_factory=dict)
    deals: dict[DealId, LiveDeal] = field(default_factory=dict)
    bags: dict[DealId, LiveDeal] = field(default_factory=dict)
    refills: dict[DealId, bool] = field(default_factory=dict)
    verdicts: dict[tuple[int, str], str] = field(default_factory=dict)
    unserved: int = 0
    slots: int = 0
    unfollowed: dict[TaskId, None] = field(default_factory=dict)
    timers: Timers = field(default_factory=Timers)
    waiting: WaitingTasks = field(default_factory=WaitingTasks)
    free: FreeWorkers = field(default_factory=FreeWorkers)
    whitelist: frozenset[str] = frozenset()
    chain: ChainHealthChanged = field(default_factory=lambda: ChainHealthChanged(up=True))
    head: int = 0
    chain_time: float = 0.0
    started_at: float = 0.0
    reverted_at: float = float("-inf")

    def load(self, snapshot: Snapshot) -> None:
        """Load the stored state."""
        self.head = snapshot.head
        for deal, next_index in snapshot.deals:
            self.add_deal(LiveDeal(deal, next_index))
        for worker in snapshot.workers:
            self.workers[worker.wallet] = LiveWorker(worker)
        for command in snapshot.commands:
            if (owner := self.workers.get(command.wallet)) is not None:
                owner.commands[command.sequence] = command
                owner.last_command_sequence = max(owner.last_command_sequence, command.sequence)
        for task in snapshot.tasks:
            self.add_task(task)
            for replicate in task.replicates.values():
                self.index(replicate)

    @property
    def chain_up(self) -> bool:
        """Whether core can rely on the node."""
        return self.chain.up

    def is_admitted(self, wallet: str) -> bool:
        """Return whether the whitelist admits a wallet."""
        return not self.whitelist or wallet in self.whitelist

    def add_deal(self, live: LiveDeal) -> None:
        """Add a deal."""
        deal_id = live.deal.terms.deal_id
        self.deals[deal_id] = live
        if live.queued:
            self.bags[deal_id] = live

    def add_task(self, task: Task) -> None:
        """Add a task and index it under its deal."""
        self.tasks[task.task_id] = LiveTask(task)
        live = self.deals.get(task.terms.deal_id)
        if live is not None:
            live.tasks.add(task.task_id)
            if not task.ended:
                live.open.add(task.task_id)
                if not task.replicates:
                    live.unserved.add(task.task_id)
                    self.unserved += 1

    def served(self, task: Task) -> bool:
        """Remove a task that got a worker, or ended, from the unserved ones; return whether it was one of them."""
        live = self.deals.get(task.terms.deal_id)
        if live is None or task.task_id not in live.unserved:
            return False
        live.unserved.discard(task.task_id)
        self.unserved -= 1
        return True

    def request_refill(self, deal_id: DealId) -> None:
        """Request further tasks for a deal; `bags.refill` creates them if there is room."""
        self.refills.setdefault(deal_id, False)

    def drop_deal(self, deal_id: DealId) -> LiveDeal | None:
        """Drop a deal and keep its live tasks."""
        live = self.deals.pop(deal_id, None)
        self.bags.pop(deal_id, None)
        self.refills.pop(deal_id, None)
        if live is not None:
            self.unserved -= len(live.unserved)
        return live

    def task(self, task_id: TaskId) -> Task | None:
        """Return a live task."""
        live = self.tasks.get(task_id)
        return None if live is None else live.task

    def index(self, replicate: Replicate) -> None:
        """Update the indexes of a replicate's worker after a change of status."""
        worker, task_id = self.workers[replicate.wallet], replicate.task_id
        status = replicate.last_relevant
        if status in FINAL_REPLICATE_STATUSES:
            worker.held.discard(task_id)
            worker.computing.discard(task_id)
            return
        worker.held.add(task_id)
        if status in SLOT_STATUSES:
            worker.computing.add(task_id)
        else:
            worker.computing.discard(task_id)

    def evict(self, task: Task) -> None:
        """Drop a task, its transient state and its entries in every index."""
        task_id = task.task_id
        for wallet in task.replicates:
            worker = self.workers[wallet]
            worker.held.discard(task_id)
            worker.computing.discard(task_id)
            worker.unanswered.discard(task_id)
            worker.sent_at.pop(task_id, None)
        self.waiting.remove(task_id)
        self.unfollowed.pop(task_id, None)
        if (deal := self.deals.get(task.terms.deal_id)) is not None:
            deal.tasks.discard(task_id)
        del self.tasks[task_id]


class TaskView(Mapping[TaskId, Task]):
    """A read-only view of the stored values of all live tasks by id."""

    def __init__(self, tasks: Mapping[TaskId, LiveTask]) -> None:
        self._tasks = tasks

    def __getitem__(self, task_id: TaskId) -> Task:
        return self._tasks[task_id].task

    def __iter__(self) -> Iterator[TaskId]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._tasks
