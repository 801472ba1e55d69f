"""Changes of tasks, replicates and workers: each updates the memory and records its write."""

from dataclasses import replace
from typing import Any

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.decisions import (
    Assign,
    ReplicateChanged,
    ReplicateCreated,
    TaskChanged,
    TaskCreated,
    WorkerSaved,
)
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import (
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
from workerpool_core.domain.tasks import task_machine
from workerpool_core.domain.tasks.task_machine import IllegalTaskTransition
from workerpool_core.domain.timers import Timeout

# These statuses change neither the number of workers that the task needs nor its status.
_PROGRESS_STATUSES = frozenset(
    {
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
)
# STARTED moves an INITIALIZED task to RUNNING.
_QUIET_STATUSES = _PROGRESS_STATUSES - {ReplicateStatus.STARTED}


def create_task(context: EventContext, task: Task) -> None:
    """Add a new task."""
    context.state.add_task(task)
    context.created_tasks += 1
    context.writes.append(TaskCreated(Task(task.task_id, task.index, task.terms, list(task.history))))
    _task_changed(context, task)


def move_task(
    context: EventContext, task: Task, *statuses: TaskStatus, receipt: Receipt | None = None, **fields: Any
) -> None:
    """Append statuses to a task's history and set fields in the same write; the receipt goes to the last status.

    Raises:
        IllegalTaskTransition: the table does not allow one of the steps.
    """
    before = current = task.status
    for status in statuses:
        if not task_machine.may_follow(current, status):
            raise IllegalTaskTransition(f"{task.task_id}: {current} -> {status}")
        current = status
    context.live(task).service_problem = None
    changes = tuple(
        TaskChange(status, context.now, receipt if place == len(statuses) else None)
        for place, status in enumerate(statuses, 1)
    )
    task.history.extend(changes)
    _write_task(context, task, before, changes, fields)
    context.tasks_to_match[task.task_id] = None
    if task.ended:
        _leave_window(context, task)


def _leave_window(context: EventContext, task: Task) -> None:
    """Remove an ended task from the window of its deal, and request further tasks."""
    state = context.state
    state.served(task)
    live = state.deals.get(task.terms.deal_id)
    if live is not None:
        live.open.discard(task.task_id)
        if live.queued:
            state.request_refill(task.terms.deal_id)


def update_task(context: EventContext, task: Task, **fields: Any) -> None:
    """Set the fields of a task whose values differ."""
    fields = {name: value for name, value in fields.items() if getattr(task, name) != value}
    if fields:
        _write_task(context, task, task.status, (), fields)


def _write_task(
    context: EventContext,
    task: Task,
    before: TaskStatus,
    changes: tuple[TaskChange, ...],
    fields: dict[str, Any],
) -> None:
    for name, value in fields.items():
        setattr(task, name, value)
    last = context.writes[-1] if context.writes else None
    if isinstance(last, TaskChanged) and last.task_id == task.task_id:
        context.writes[-1] = TaskChanged(
            task.task_id, last.expected, last.changes + changes, {**last.fields, **fields}
        )
    else:
        context.writes.append(TaskChanged(task.task_id, before, changes, fields))
    _task_changed(context, task)


def _task_changed(context: EventContext, task: Task) -> None:
    context.tasks_to_advance[task.task_id] = None
    context.changed_tasks[task.task_id] = None


def create_replicate(context: EventContext, task: Task, wallet: str, weight: int) -> Replicate:
    """Create a replicate of a task and assign it to a worker."""
    replicate = add_replicate(context, task, wallet, weight)
    context.effects.append(Assign(wallet, task.task_id))
    due = context.now + context.state.policy.assignment_timeout_s
    context.state.timers.set(Timeout.ASSIGNMENT, task.task_id, due, wallet)
    return replicate


def add_replicate(context: EventContext, task: Task, wallet: str, weight: int) -> Replicate:
    """Add a replicate of a task without an assignment: its worker has computed the task."""
    change = ReplicateChange(ReplicateStatus.CREATED, context.now, Modifier.POOL_MANAGER)
    replicate = Replicate(task.task_id, wallet, weight, [change])
    task.replicates[wallet] = replicate
    context.state.index(replicate)
    if context.state.served(task) and task.terms.deal_id in context.state.bags:
        context.state.request_refill(task.terms.deal_id)
    context.writes.append(ReplicateCreated(Replicate(task.task_id, wallet, weight, [change])))
    _task_changed(context, task)
    return replicate


def move_replicate(
    context: EventContext,
    replicate: Replicate,
    status: ReplicateStatus,
    modifier: Modifier = Modifier.POOL_MANAGER,
    cause: ReplicateStatusCause | None = None,
    receipt: Receipt | None = None,
    message: str = "",
    **fields: Any,
) -> None:
    """Append a status to a replicate's history and set fields in the same write.

    Raises:
        IllegalReplicateTransition: the tables do not allow the step, or the history has the status already.
    """
    before = replicate.status
    legal = replicate_machine.may_follow(before, status) or (
        modifier is Modifier.POOL_MANAGER and replicate_machine.may_be_proven(before, status)
    )
    if not legal or replicate.has_reached(status):
        raise IllegalReplicateTransition(f"{replicate.task_id} {replicate.wallet}: {before} -> {status}")
    change = ReplicateChange(status, context.now, modifier, cause, receipt, message)
    replicate.history.append(change)
    _write_replicate(context, replicate, before, (change,), fields)
    state, task_id, wallet = context.state, replicate.task_id, replicate.wallet
    if before is ReplicateStatus.CREATED:
        _answered(context, replicate)
        check_at = context.now + state.policy.progress_timeout_s
        state.timers.set(Timeout.EXECUTION, task_id, check_at, wallet)
    elif status is ReplicateStatus.COMPUTED:
        check_at = context.now + state.policy.proof_timeout_s
        state.timers.set(Timeout.EXECUTION, task_id, check_at, wallet)
    if status not in _PROGRESS_STATUSES:
        context.tasks_to_match[task_id] = None
    if status not in SLOT_STATUSES or before not in SLOT_STATUSES:
        computing = state.workers[wallet].computing
        had_slot = task_id in computing
        state.index(replicate)
        if had_slot and task_id not in computing:
            match_worker(context, wallet)


def match_worker(context: EventContext, wallet: str) -> None:
    """Match a worker whose slots or eligibility changed, including with tasks that it could not take before."""
    context.state.workers[wallet].searched_version = None
    context.workers_to_match[wallet] = None


def _answered(context: EventContext, replicate: Replicate) -> None:
    """Clear the transient state of an assignment that its worker answered."""
    worker = context.state.workers[replicate.wallet]
    context.state.timers.cancel(Timeout.ASSIGNMENT, replicate.task_id, replicate.wallet)
    worker.sent_at.pop(replicate.task_id, None)
    if replicate.task_id in worker.unanswered:
        worker.unanswered.discard(replicate.task_id)
        # A late start counts as an expected contribution again.
        context.tasks_to_match[replicate.task_id] = None


def update_replicate(context: EventContext, replicate: Replicate, **fields: Any) -> None:
    """Set the fields of a replicate whose values differ."""
    fields = {name: value for name, value in fields.items() if getattr(replicate, name) != value}
    if fields:
        _write_replicate(context, replicate, replicate.status, (), fields)
        context.tasks_to_match[replicate.task_id] = None


def _write_replicate(
    context: EventContext,
    replicate: Replicate,
    before: ReplicateStatus,
    changes: tuple[ReplicateChange, ...],
    fields: dict[str, Any],
) -> None:
    for name, value in fields.items():
        setattr(replicate, name, value)
    task_id, wallet = replicate.task_id, replicate.wallet
    last = context.writes[-1] if context.writes else None
    if isinstance(last, ReplicateChanged) and last.task_id == task_id and last.wallet == wallet:
        merged = {**last.fields, **fields} if fields else last.fields
        context.writes[-1] = ReplicateChanged(task_id, wallet, last.expected, last.changes + changes, merged)
    else:
        context.writes.append(ReplicateChanged(task_id, wallet, before, changes, fields))
    context.changed_tasks[task_id] = None
    quiet = bool(changes) and changes[-1].status in _QUIET_STATUSES
    if not quiet or context.state.tasks[task_id].task.status is not TaskStatus.RUNNING:
        context.tasks_to_advance[task_id] = None


def save_worker(context: EventContext, worker: Worker) -> None:
    """Store a worker in its current state, and match its free slots again."""
    context.writes.append(WorkerSaved(replace(worker)))
    context.workers_to_match[worker.wallet] = None
