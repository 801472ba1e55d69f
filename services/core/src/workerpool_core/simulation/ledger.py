"""A store in memory that applies and refuses writes exactly like the MongoDB store."""

from dataclasses import replace

from workerpool_poco.protocol.ids import DealId, TaskId

from workerpool_core.domain.decisions import (
    CommandQueued,
    CommandRemoved,
    CursorMoved,
    DealRemoved,
    DealSaved,
    LogsStored,
    ReplicateChanged,
    ReplicateCreated,
    TaskChanged,
    TaskCreated,
    WorkerSaved,
    Write,
)
from workerpool_core.domain.model import Command, PoolDeal, Replicate, Task, Worker
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.snapshot import Snapshot, must_load


class StoreConflict(AssertionError):
    """A write expects a status that is not stored."""


class Ledger:
    """Tasks, replicates, workers, commands, logs and the cursor, as copies of the scheduler's values."""

    def __init__(self) -> None:
        self.deals: dict[DealId, PoolDeal] = {}
        self.unreached: dict[DealId, int] = {}
        self.tasks: dict[TaskId, Task] = {}
        self.replicates: dict[tuple[str, str], Replicate] = {}
        self.workers: dict[str, Worker] = {}
        self.commands: dict[tuple[str, int], Command] = {}
        self.logs: dict[tuple[str, str], tuple[str, str]] = {}
        self.cursor: tuple[int, str] = (0, "")

    def apply(self, write: Write) -> None:
        """Apply one write. Raises StoreConflict when the stored status is not the expected one."""
        match write:
            case DealSaved(deal):
                self.deals[deal.terms.deal_id] = deal
            case DealRemoved(deal_id, unreached):
                del self.deals[deal_id]
                self.unreached[deal_id] = unreached
            case TaskCreated(task):
                if task.task_id not in self.tasks:
                    self.tasks[task.task_id] = _copy_task(task)
            case TaskChanged(task_id, expected, changes, fields):
                stored = self.tasks.get(task_id)
                if stored is None or stored.status is not expected:
                    raise StoreConflict(
                        f"task {task_id}: expected {expected}, found {stored and stored.status}"
                    )
                stored.history.extend(changes)
                for name, value in fields.items():
                    setattr(stored, name, value)
            case ReplicateCreated(replicate):
                key = (replicate.task_id, replicate.wallet)
                if key in self.replicates:
                    raise StoreConflict(f"replicate {key} exists")
                self.replicates[key] = _copy_replicate(replicate)
            case ReplicateChanged(task_id, wallet, expected, changes, fields):
                kept = self.replicates.get((task_id, wallet))
                if kept is None or kept.status is not expected:
                    raise StoreConflict(
                        f"replicate {task_id} {wallet}: expected {expected}, found {kept and kept.status}"
                    )
                kept.history.extend(changes)
                for name, value in fields.items():
                    setattr(kept, name, value)
            case LogsStored(task_id, wallet, stdout, stderr):
                self.logs.setdefault((task_id, wallet), (stdout, stderr))
            case WorkerSaved(worker):
                self.workers[worker.wallet] = replace(worker)
            case CommandQueued(command):
                if (command.wallet, command.sequence) in self.commands:
                    raise StoreConflict(f"command {command.wallet} {command.sequence} exists")
                self.commands[command.wallet, command.sequence] = command
            case CommandRemoved(wallet, sequence):
                self.commands.pop((wallet, sequence), None)
            case CursorMoved(number, block_hash):
                self.cursor = (number, block_hash)

    def snapshot(self, policy: Policy, now: float) -> Snapshot:
        """Return a copy of the state that a start at `now` (Unix seconds) loads."""
        head, _ = self.cursor
        remembered = [task for task in self.tasks.values() if must_load(task, policy, now, head)]
        tasks = {task.task_id: _copy_task(task) for task in remembered}
        for replicate in self.replicates.values():
            if replicate.task_id in tasks:
                tasks[replicate.task_id].replicates[replicate.wallet] = _copy_replicate(replicate)
        return Snapshot(
            tasks=tuple(tasks.values()),
            workers=tuple(replace(worker) for worker in self.workers.values()),
            commands=tuple(self.commands.values()),
            deals=tuple((deal, self._next_index(deal)) for deal in self.deals.values()),
            head=head,
        )

    def _next_index(self, deal: PoolDeal) -> int:
        """Return the first index of a deal without a task; tasks are created in order."""
        indexes = (task.index for task in self.tasks.values() if task.terms.deal_id == deal.terms.deal_id)
        return max((index + 1 for index in indexes), default=deal.terms.bot_first)


def _copy_task(task: Task) -> Task:
    """Return a copy without replicates, which are stored separately."""
    return replace(task, history=list(task.history), replicates={})


def _copy_replicate(replicate: Replicate) -> Replicate:
    return replace(replicate, history=list(replicate.history))
