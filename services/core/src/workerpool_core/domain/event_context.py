"""One event's processing: every change of memory goes through here and leaves its write and effects."""

from typing import Any

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.decisions import (
    Assign,
    CommandDone,
    CommandQueued,
    Effect,
    Outcome,
    ReadTask,
    ReadWeight,
    ReplicateChanged,
    ReplicateCreated,
    RequestTransaction,
    SendCommand,
    TaskChanged,
    TaskCreated,
    TaskMoved,
    WorkerSaved,
    Write,
)
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import (
    Action,
    Command,
    Modifier,
    Receipt,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
)
from workerpool_core.domain.replicates import replicate_machine
from workerpool_core.domain.replicates.replicate_machine import SLOT_STATUSES, IllegalReplicateTransition
from workerpool_core.domain.state import State
from workerpool_core.domain.tasks import task_machine
from workerpool_core.domain.tasks.task_machine import IllegalTaskTransition
from workerpool_core.domain.timers import Alarm

# Steps of the work itself change nothing for anybody else; the others are worth a look.
_SUPPLY_STATUSES = frozenset(ReplicateStatus) - {
    ReplicateStatus.STARTING,
    ReplicateStatus.STARTED,
    ReplicateStatus.APP_DOWNLOADING,
    ReplicateStatus.APP_DOWNLOADED,
    ReplicateStatus.DATA_DOWNLOADING,
    ReplicateStatus.DATA_DOWNLOADED,
    ReplicateStatus.COMPUTING,
    ReplicateStatus.COMPUTED,
    ReplicateStatus.CONTRIBUTING,
    ReplicateStatus.CONTRIBUTE_AND_FINALIZE_ONGOING,
}
_QUIET_STATUSES = frozenset(ReplicateStatus) - _SUPPLY_STATUSES - {ReplicateStatus.STARTED}
_OPENING_ACTIONS = (Action.ABORT, Action.COMPLETE)


class Turn:
    """Collects writes and effects of one event at one time.

    `touched` are the tasks to look at again before the turn ends, `reshelve` those whose need of workers may
    have changed, `recount` the workers whose slots may have.
    """

    def __init__(self, state: State, now: float) -> None:
        self.state = state
        self.now = now
        self.writes: list[Write] = []
        self.effects: list[Effect] = []
        self.touched: dict[str, None] = {}
        self.moved: dict[str, None] = {}
        self.reshelve: dict[str, None] = {}
        self.recount: dict[str, None] = {}

    def outcome(self) -> Outcome:
        """Return what the event led to."""
        self.effects.extend(TaskMoved(task_id) for task_id in self.moved)
        return Outcome(self.writes, self.effects)

    @property
    def in_doubt(self) -> bool:
        """Tell whether a reorganisation is so fresh that others may still speak of the chain before it."""
        return self.now < self.state.reverted_at + self.state.policy.reorganisation_doubt_s

    # --- tasks ------------------------------------------------------------------------------

    def create_task(self, task: Task) -> None:
        """Take in a new task."""
        self.state.tasks[task.task_id] = task
        copy = Task(task.task_id, task.index, task.terms, list(task.history))
        self.writes.append(TaskCreated(copy))
        self._moved(task)

    def move_task(
        self, task: Task, *statuses: TaskStatus, receipt: Receipt | None = None, **fields: Any
    ) -> None:
        """Append statuses to a task's history (the receipt goes with the last) and set fields with them."""
        before = task.status
        current = before
        for status in statuses:
            if not task_machine.may_follow(current, status):
                raise IllegalTaskTransition(f"{task.task_id}: {current} -> {status}")
            current = status
        changes = tuple(
            TaskChange(status, self.now, receipt if place == len(statuses) else None)
            for place, status in enumerate(statuses, 1)
        )
        task.history.extend(changes)
        self._write_task(task, before, changes, fields)
        self.reshelve[task.task_id] = None

    def set_task(self, task: Task, **fields: Any) -> None:
        """Set fields of a task that differ from what they are."""
        fields = {name: value for name, value in fields.items() if getattr(task, name) != value}
        if fields:
            self._write_task(task, task.status, (), fields)

    def _write_task(
        self, task: Task, before: TaskStatus, changes: tuple[TaskChange, ...], fields: dict[str, Any]
    ) -> None:
        for name, value in fields.items():
            setattr(task, name, value)
        last = self.writes[-1] if self.writes else None
        if isinstance(last, TaskChanged) and last.task_id == task.task_id:
            self.writes[-1] = TaskChanged(
                task.task_id, last.expected, last.changes + changes, {**last.fields, **fields}
            )
        else:
            self.writes.append(TaskChanged(task.task_id, before, changes, fields))
        self._moved(task)

    def _moved(self, task: Task) -> None:
        self.touched[task.task_id] = None
        self.moved[task.task_id] = None

    # --- replicates -------------------------------------------------------------------------

    def create_replicate(self, task: Task, wallet: str, weight: int) -> Replicate:
        """Give a task to a worker."""
        change = ReplicateChange(ReplicateStatus.CREATED, self.now, Modifier.POOL_MANAGER)
        replicate = Replicate(task.task_id, wallet, weight, [change])
        task.replicates[wallet] = replicate
        self.state.index(replicate)
        self.writes.append(ReplicateCreated(Replicate(task.task_id, wallet, weight, [change])))
        self.effects.append(Assign(wallet, task.task_id))
        timers, policy = self.state.timers, self.state.policy
        timers.set(Alarm.ASSIGNMENT, task.task_id, self.now + policy.assignment_resend_s, wallet)
        self._moved(task)
        return replicate

    def move_replicate(
        self,
        replicate: Replicate,
        status: ReplicateStatus,
        modifier: Modifier = Modifier.POOL_MANAGER,
        cause: ReplicateStatusCause | None = None,
        receipt: Receipt | None = None,
        **fields: Any,
    ) -> None:
        """Append a status to a replicate's history and set fields with it."""
        before = replicate.status
        legal = replicate_machine.may_follow(before, status) or (
            modifier is Modifier.POOL_MANAGER and replicate_machine.may_be_proven(before, status)
        )
        if not legal or replicate.ever(status):
            raise IllegalReplicateTransition(f"{replicate.task_id} {replicate.wallet}: {before} -> {status}")
        change = ReplicateChange(status, self.now, modifier, cause, receipt)
        replicate.history.append(change)
        self._write_replicate(replicate, before, (change,), fields)
        if before is ReplicateStatus.CREATED:
            self.state.timers.cancel(Alarm.ASSIGNMENT, replicate.task_id, replicate.wallet)
        if status in _SUPPLY_STATUSES:
            self.reshelve[replicate.task_id] = None
        if status not in SLOT_STATUSES or before not in SLOT_STATUSES:
            busy = self.state.busy.get(replicate.wallet)
            was_busy = busy is not None and replicate.task_id in busy
            self.state.index(replicate)
            if was_busy and busy is not None and replicate.task_id not in busy:
                self.recount[replicate.wallet] = None

    def set_replicate(self, replicate: Replicate, **fields: Any) -> None:
        """Set fields of a replicate that differ from what they are."""
        fields = {name: value for name, value in fields.items() if getattr(replicate, name) != value}
        if fields:
            self._write_replicate(replicate, replicate.status, (), fields)
            self.reshelve[replicate.task_id] = None

    def _write_replicate(
        self,
        replicate: Replicate,
        before: ReplicateStatus,
        changes: tuple[ReplicateChange, ...],
        fields: dict[str, Any],
    ) -> None:
        for name, value in fields.items():
            setattr(replicate, name, value)
        task_id, wallet = replicate.task_id, replicate.wallet
        last = self.writes[-1] if self.writes else None
        if isinstance(last, ReplicateChanged) and last.task_id == task_id and last.wallet == wallet:
            self.writes[-1] = ReplicateChanged(
                task_id, wallet, last.expected, last.changes + changes, {**last.fields, **fields}
            )
        else:
            self.writes.append(ReplicateChanged(task_id, wallet, before, changes, fields))
        self.moved[task_id] = None
        quiet = bool(changes) and changes[-1].status in _QUIET_STATUSES
        if not quiet or self.state.tasks[task_id].status is not TaskStatus.RUNNING:
            self.touched[task_id] = None

    # --- workers and commands ---------------------------------------------------------------

    def save_worker(self, worker: Worker) -> None:
        """Write a worker down as it is now, and look at its slots again."""
        copy = Worker(
            worker.wallet,
            worker.model,
            worker.registered_at,
            worker.last_seen,
            lost=worker.lost,
            drained_until=worker.drained_until,
            quarantined_until=worker.quarantined_until,
            consecutive_failures=worker.consecutive_failures,
        )
        self.writes.append(WorkerSaved(copy))
        self.recount[worker.wallet] = None

    def command(
        self,
        wallet: str,
        task_id: str,
        action: Action,
        *,
        block: int = 0,
        cause: ReplicateStatusCause | None = None,
        resume: bool = False,
    ) -> None:
        """Queue a command and send it. ABORT and COMPLETE make older commands for the same replicate void.

        Sequences rise with the clock, so that they rise over restarts too although acknowledged commands leave
        nothing behind; the worker's Hello guards against a clock that went back.
        """
        worker = self.state.workers[wallet]
        if action in _OPENING_ACTIONS:
            self.drop_commands(worker, task_id)
        sequence = max(self.state.command_floor.get(wallet, 0) + 1, int(self.now * 1000))
        self.state.command_floor[wallet] = sequence
        command = Command(wallet, sequence, task_id, action, block, cause)
        worker.pending[sequence] = command
        self.writes.append(CommandQueued(command))
        self.effects.append(SendCommand(command, resume))

    def drop_commands(self, worker: Worker, task_id: str) -> None:
        """Withdraw the commands that a worker did not acknowledge for a task."""
        for sequence in [s for s, command in worker.pending.items() if command.task_id == task_id]:
            del worker.pending[sequence]
            self.writes.append(CommandDone(worker.wallet, sequence))

    # --- effects ----------------------------------------------------------------------------

    def read(self, task: Task) -> None:
        """Ask the chain about a task and its contributions; asked again when no answer comes."""
        self.effects.append(ReadTask(task.task_id, tuple(task.replicates), self.now))
        self.state.timers.set(Alarm.READ, task.task_id, self.now + self.state.policy.read_timeout_s)

    def heard_of(self, task: Task, block: int, kind: TransactionKind | None = None) -> None:
        """Take note that something was learnt that may stand in a block up to this one, which was not followed yet.

        It may vanish before it is followed, and then no reorganisation tells of it: the task is read again then,
        unless the log of `kind` (None: it was more than one transaction) shows it.
        """
        if block > self.state.head:
            last, known = self.state.ahead.get(task.task_id, (block, kind))
            self.state.ahead[task.task_id] = max(last, block), kind if kind is known else None

    def weigh(self, wallet: str) -> None:
        """Ask the chain for a worker's weight."""
        self.effects.append(ReadWeight(wallet))

    def weigh_contributors(self, task: Task) -> None:
        """Ask for the weights of a task's contributors: its end or reopening changed their scores (core spec §6.1)."""
        contributors = [r.wallet for r in task.replicates.values() if r.contribution_hash]
        for wallet in contributors:
            if self.state.workers[wallet].session:
                self.weigh(wallet)

    def request(self, kind: TransactionKind, task: Task) -> None:
        """Ask the adapter for a transaction; asked again when no answer comes."""
        link, data = (task.result_link, task.callback_data) if kind is TransactionKind.FINALIZE else ("", "")
        self.effects.append(
            RequestTransaction(kind, task.task_id, task.terms.deal_id, task.index, link, data)
        )
