"""The scheduler's memory: every live task and worker, and the indexes over them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import FINAL_REPLICATE_STATUSES

from workerpool_core.domain.dispatch.supply import FreeWorkers, WaitingTasks
from workerpool_core.domain.live import LiveTask, LiveWorker
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.replicates.replicate_machine import SLOT_STATUSES
from workerpool_core.domain.snapshot import Snapshot
from workerpool_core.domain.timers import Timers


@dataclass(slots=True)
class State:
    """All state of the scheduler. Tasks and replicates change only through `transitions`, which records the writes.

    `evicted` are ids of ended tasks that left the memory; a replayed deal does not create them again. `unfollowed`
    indexes the tasks with an `UnfollowedChange`. `head` is the newest block that was followed, 0 before the first,
    and `chain_time` its timestamp: later blocks may still bear a time before a deadline that has passed here.
    """

    policy: Policy
    random: Random
    tasks: dict[TaskId, LiveTask] = field(default_factory=dict)
    workers: dict[str, LiveWorker] = field(default_factory=dict)
    evicted: set[TaskId] = field(default_factory=set)
    unfollowed: dict[TaskId, None] = field(default_factory=dict)
    timers: Timers = field(default_factory=Timers)
    waiting: WaitingTasks = field(default_factory=WaitingTasks)
    free: FreeWorkers = field(default_factory=FreeWorkers)
    chain_up: bool = True
    head: int = 0
    chain_time: float = 0.0
    started_at: float = 0.0
    reverted_at: float = float("-inf")

    def load(self, snapshot: Snapshot) -> None:
        """Load the stored state."""
        self.head = snapshot.head
        self.evicted.update(snapshot.ended_task_ids)
        for worker in snapshot.workers:
            self.workers[worker.wallet] = LiveWorker(worker)
        for command in snapshot.commands:
            if (owner := self.workers.get(command.wallet)) is not None:
                owner.commands[command.sequence] = command
                owner.last_command_sequence = max(owner.last_command_sequence, command.sequence)
        for task in snapshot.tasks:
            self.tasks[task.task_id] = LiveTask(task)
            for replicate in task.replicates.values():
                self.index(replicate)

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
            self.workers[wallet].held.discard(task_id)
            self.workers[wallet].computing.discard(task_id)
        self.waiting.remove(task_id)
        self.unfollowed.pop(task_id, None)
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
