"""The workers that a task may be assigned to, whether or not they have a free slot now."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import ReplicateStatusCause

from workerpool_core.domain.dispatch.hardware import capability_of, requirement_of
from workerpool_core.domain.dispatch.paid_work import has_stake_for, may_take_paid
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Task, Worker
from workerpool_core.domain.replicates.consensus_forecast import is_active
from workerpool_core.domain.replicates.failures import failure_of, is_dropped


def is_paused(worker: Worker, now: float) -> bool:
    """Return whether a worker gets no work now because of a drain or a quarantine."""
    return worker.drained_until > now or worker.quarantine_end > now


def may_try(context: EventContext, task: Task, wallet: str) -> bool:
    """Return whether a connected worker may be assigned a task: never twice, and never where it cannot succeed."""
    live = context.state.workers[wallet]
    if wallet in task.replicates or not may_take_paid(context.state, live, task.terms):
        return False
    return _has_enough_memory(context, task, live)


def _has_enough_memory(context: EventContext, task: Task, live: LiveWorker) -> bool:
    if not task.replicates:
        return True
    return live.worker.model.memory_of_slot > insufficient_memory(context.state.workers, task)


def insufficient_memory(workers: Mapping[str, LiveWorker], task: Task) -> int:
    """Return the largest slot in bytes that was too small for a task's app; 0 when none was.

    A worker that is lost, or overdue with its error result, proves nothing; any worker may then try the task.
    """
    return max(
        (
            workers[replicate.wallet].worker.model.memory_of_slot
            for replicate in task.replicates.values()
            if (failure := failure_of(replicate)) is not None
            and failure.cause is ReplicateStatusCause.APP_OUT_OF_MEMORY
            and not replicate.overdue
            and (is_dropped(replicate) or is_active(replicate, workers))
        ),
        default=0,
    )


def is_eligible(context: EventContext, task: Task, live: LiveWorker) -> bool:
    """Return whether a worker may be assigned a task as soon as it has a free slot.

    A worker counts until it is lost, and until its weight and stake are read: after a start of this process, workers
    need a moment to connect.
    """
    worker = live.worker
    is_known = live.stake is not None
    return (
        not worker.lost
        and context.state.is_admitted(worker.wallet)
        and (live.weight > 0 or not is_known)
        and not live.silent
        and not live.parked_reason
        and not is_paused(worker, context.now)
        and capability_of(worker.model).meets(requirement_of(task.terms.tag))
        and (has_stake_for(live, task.terms.worker_stake) or not is_known)
        and worker.wallet not in task.replicates
        and _has_enough_memory(context, task, live)
    )


def has_eligible_worker(context: EventContext, task: Task) -> bool:
    """Return whether a task can still be given to another worker whose result is worth waiting for.

    A worker that has only failed so far cannot confirm an error result: it may be assigned the task, but the error
    result does not wait for it.
    """
    return any(
        is_eligible(context, task, live) and not _has_only_failed(live.worker)
        for live in context.state.workers.values()
    )


def _has_only_failed(worker: Worker) -> bool:
    return worker.consecutive_failures > 0 and worker.successes == 0
