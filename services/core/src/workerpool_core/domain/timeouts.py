"""Handlers of expired timers."""

from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import (
    WAITING_CONTRIBUTION_TASK_STATUSES,
    WAITING_REVEAL_TASK_STATUSES,
)

from workerpool_core.domain.dispatch import assignment_timeouts, satisfiability
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Task
from workerpool_core.domain.replicates import pending_reports, uploads
from workerpool_core.domain.tasks import bags, completion, retries
from workerpool_core.domain.timers import Key, Timeout
from workerpool_core.domain.workers import liveness, quarantine, silence


def fire(context: EventContext, key: Key) -> None:
    """Handle one expired timer."""
    timeout, subject, wallet = key
    match timeout:
        case Timeout.LIVENESS:
            liveness.check(context, subject)
        case Timeout.PAUSE:
            quarantine.pause_ended(context, subject)
        case Timeout.EVICTION:
            completion.evict(context, TaskId(subject))
        case Timeout.DEAL:
            bags.expired(context, DealId(subject))
        case Timeout.REFILL:
            pass
        case Timeout.WORKERS_CHANGED:
            satisfiability.recheck(context)
        case _:
            task = context.state.task(TaskId(subject))
            if task is not None:
                _fire_for_task(context, timeout, task, wallet)


def _fire_for_task(context: EventContext, timeout: Timeout, task: Task, wallet: str) -> None:
    match timeout:
        case Timeout.ASSIGNMENT:
            assignment_timeouts.fire(context, task, wallet)
        case Timeout.CONTRIBUTION | Timeout.FAILURE_PAUSE:
            context.tasks_to_match[task.task_id] = None
        case Timeout.EXECUTION:
            silence.check(context, task, task.replicates[wallet])
        case Timeout.ERROR_RESULT:
            context.tasks_to_advance[task.task_id] = None
        case Timeout.RETRY:
            retries.retry(context, task)
        case Timeout.READ:
            context.read_task(task)
        case Timeout.PROOF:
            pending_reports.retry(context, task)
        case Timeout.UPLOAD:
            uploads.overdue(context, task)
        case Timeout.CONTRIBUTION_DEADLINE if task.status in WAITING_CONTRIBUTION_TASK_STATUSES:
            context.tasks_to_match[task.task_id] = None
            completion.free_slots(context, task)
            context.read_task(task)
        case Timeout.REVEAL_DEADLINE if task.status in WAITING_REVEAL_TASK_STATUSES:
            context.tasks_to_advance[task.task_id] = None
            context.read_task(task)
        case Timeout.FINAL_DEADLINE if task.ended:
            completion.claim(context, task)
        case Timeout.FINAL_DEADLINE:
            context.read_task(task)
