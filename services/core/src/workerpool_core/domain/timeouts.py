"""Reactions to timers that fire."""

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import (
    WAITING_CONTRIBUTION_TASK_STATUSES,
    WAITING_REVEAL_TASK_STATUSES,
    ReplicateStatus,
)

from workerpool_core.domain.decisions import Assign
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Task
from workerpool_core.domain.replicates import proofs, uploads
from workerpool_core.domain.tasks import completion, retries
from workerpool_core.domain.timers import Key, Timeout
from workerpool_core.domain.workers import liveness, quarantine


def fire(context: EventContext, key: Key) -> None:
    """React to one timer."""
    timeout, subject, wallet = key
    match timeout:
        case Timeout.LIVENESS:
            liveness.check(context, subject)
        case Timeout.PAUSE:
            quarantine.pause_ended(context, subject)
        case Timeout.EVICTION:
            completion.evict(context, TaskId(subject))
        case _:
            task = context.state.task(TaskId(subject))
            if task is not None:
                _fire_for_task(context, timeout, task, wallet)


def _fire_for_task(context: EventContext, timeout: Timeout, task: Task, wallet: str) -> None:
    match timeout:
        case Timeout.ASSIGNMENT:
            _resend_assignment(context, task, wallet)
        case Timeout.CONTRIBUTION:
            context.tasks_to_match[task.task_id] = None
        case Timeout.RETRY:
            retries.retry(context, task)
        case Timeout.READ:
            context.read_task(task)
        case Timeout.PROOF:
            proofs.retry(context, task)
        case Timeout.UPLOAD:
            uploads.overdue(context, task)
        case Timeout.CONTRIBUTION_DEADLINE if task.status in WAITING_CONTRIBUTION_TASK_STATUSES:
            context.tasks_to_match[task.task_id] = None
            context.read_task(task)
        case Timeout.REVEAL_DEADLINE if task.status in WAITING_REVEAL_TASK_STATUSES:
            context.tasks_to_advance[task.task_id] = None
            context.read_task(task)
        case Timeout.FINAL_DEADLINE if task.ended:
            completion.claim(context, task)
        case Timeout.FINAL_DEADLINE:
            context.read_task(task)


def _resend_assignment(context: EventContext, task: Task, wallet: str) -> None:
    """Resend an unacknowledged assignment."""
    replicate = task.replicates[wallet]
    if task.ended or replicate.status is not ReplicateStatus.CREATED:
        return
    resend_at = context.now + context.state.policy.assignment_resend_s
    context.state.timers.set(Timeout.ASSIGNMENT, task.task_id, resend_at, wallet)
    if context.state.workers[wallet].session is not None:
        context.effects.append(Assign(wallet, task.task_id))
