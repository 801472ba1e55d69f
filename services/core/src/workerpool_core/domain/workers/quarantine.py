"""Pauses of workers: a drain or a quarantine by an operator, and a quarantine after consecutive failures.

The latter doubles each time. One by an operator lasts as ordered, whatever the worker does meanwhile. The table of
blame decides which failures count.
"""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.blame import counts, waits_for_retry
from workerpool_core.domain.decisions import SendDrain
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import WorkerDrained, WorkerQuarantined
from workerpool_core.domain.model import Modifier, Replicate, Task, Worker
from workerpool_core.domain.timers import Timeout

_C = ReplicateStatusCause
_CHAIN_FAILURES = (
    ReplicateStatus.CONTRIBUTE_FAILED,
    ReplicateStatus.REVEAL_FAILED,
    ReplicateStatus.CONTRIBUTE_AND_FINALIZE_FAILED,
)
_FAILURES = frozenset(
    {
        *_CHAIN_FAILURES,
        ReplicateStatus.START_FAILED,
        ReplicateStatus.APP_DOWNLOAD_FAILED,
        ReplicateStatus.DATA_DOWNLOAD_FAILED,
        ReplicateStatus.COMPUTE_FAILED,
        ReplicateStatus.RESULT_UPLOAD_FAILED,
    }
)
_CHAIN_CAUSES = frozenset(
    {_C.TASK_NOT_ACTIVE, _C.CONTRIBUTION_ALREADY_SET, _C.TASK_ALREADY_CONTRIBUTED, _C.CONSENSUS_REACHED}
)


def count_failure(
    context: EventContext,
    task: Task,
    replicate: Replicate,
    status: ReplicateStatus,
    cause: ReplicateStatusCause | None,
) -> None:
    """Count a reported failure if the worker is at fault, and read the chain if it may show the cause.

    After a failure of the chain or of the pool, the task waits for a moment before another worker gets it.
    """
    if status not in _FAILURES and (status is not ReplicateStatus.COMPUTED or cause is None):
        return
    if waits_for_retry(cause):
        context.live(task).paused_until = context.now + context.state.policy.failure_pause_s
        context.state.timers.set(Timeout.FAILURE_PAUSE, task.task_id, context.live(task).paused_until)
    if cause in _CHAIN_CAUSES or status in _CHAIN_FAILURES:
        context.read_task(task)
    if counts(cause, before_deadline=_is_before_deadline(context, task)) and not _is_shared(
        context, task, replicate, cause
    ):
        count(context, replicate.wallet)


def _is_shared(
    context: EventContext, task: Task, replicate: Replicate, cause: ReplicateStatusCause | None
) -> bool:
    """Return whether other workers failed on a task for the same cause, and undo the count of their failure.

    Several hosts seldom fail alike on one task: the task, or a service that all of them use, is the likely cause.
    """
    others = [
        other
        for other in task.replicates.values()
        if other is not replicate
        and any(change.cause is cause and change.modifier is Modifier.WORKER for change in other.history)
    ]
    if cause is None or not others:
        return False
    if len(others) == 1:
        _uncount(context, others[0].wallet)
    return True


def _uncount(context: EventContext, wallet: str) -> None:
    """Undo the count of a worker's last failure, and the quarantine that it caused."""
    worker = context.state.workers[wallet].worker
    if worker.consecutive_failures:
        worker.consecutive_failures -= 1
        if worker.consecutive_failures < context.state.policy.quarantine_after:
            worker.quarantined_until = 0.0
        transitions.save_worker(context, worker)


def _is_before_deadline(context: EventContext, task: Task) -> bool:
    """Return whether neither the chain's time nor the clock of core has passed the contribution deadline."""
    chain_time, tolerance = context.state.chain_time, context.state.policy.clock_tolerance_s
    latest = max(chain_time, context.now)
    return chain_time > 0 and latest < task.terms.contribution_deadline - tolerance


def count(context: EventContext, wallet: str) -> None:
    """Count a failure of a worker, and quarantine it after too many."""
    policy = context.state.policy
    worker = context.state.workers[wallet].worker
    worker.consecutive_failures += 1
    doublings = worker.consecutive_failures - policy.quarantine_after
    if doublings >= 0:
        duration_s = min(policy.quarantine_s * 2 ** min(doublings, 32), policy.quarantine_max_s)
        worker.quarantined_until = context.now + duration_s
        set_timer(context, worker)
    transitions.save_worker(context, worker)


def reset_failures(context: EventContext, replicate: Replicate) -> None:
    """Reset the failure count of a worker whose contribution is on chain."""
    worker = context.state.workers[replicate.wallet].worker
    if worker.consecutive_failures:
        worker.consecutive_failures = 0
        transitions.save_worker(context, worker)


def count_successes(context: EventContext, task: Task) -> None:
    """Count a success of each worker whose contribution is the result of a completed paid task.

    Free tasks do not count, because a requester could give its own wallets any number of them. A count above the
    worker's slots has no effect and is not stored.
    """
    if task.terms.worker_stake <= 0:
        return
    for replicate in task.replicates.values():
        confirmed = task.consensus or replicate.contribution_hash
        worker = context.state.workers[replicate.wallet].worker
        is_winner = replicate.contribution_hash and replicate.contribution_hash == confirmed
        if is_winner and worker.successes < worker.model.slots:
            worker.successes += 1
            transitions.save_worker(context, worker)


def released(context: EventContext, wallet: str) -> None:
    """End a quarantine and reset the failure count."""
    if (live := context.state.workers.get(wallet)) is not None:
        live.worker.quarantined_until = live.worker.suspended_until = 0.0
        live.worker.consecutive_failures = 0
        transitions.save_worker(context, live.worker)


def quarantined(context: EventContext, event: WorkerQuarantined) -> None:
    """Quarantine a worker by order of an operator until a time; it finishes its current tasks."""
    if (live := context.state.workers.get(event.wallet)) is not None:
        live.worker.suspended_until = event.until
        transitions.save_worker(context, live.worker)
        set_timer(context, live.worker)


def drained(context: EventContext, event: WorkerDrained) -> None:
    """Assign no more tasks to a worker until a time."""
    if (live := context.state.workers.get(event.wallet)) is not None:
        live.worker.drained_until = event.until
        transitions.save_worker(context, live.worker)
        set_timer(context, live.worker)
        if live.session is not None:
            context.effects.append(SendDrain(event.wallet, event.until))


def undrained(context: EventContext, wallet: str) -> None:
    """End a drain."""
    if (live := context.state.workers.get(wallet)) is not None:
        live.worker.drained_until = 0.0
        transitions.save_worker(context, live.worker)


def set_timer(context: EventContext, worker: Worker) -> None:
    """Set the timer for the next end of a worker's drain or quarantine; an infinite one has no end."""
    ends = (worker.drained_until, worker.quarantined_until, worker.suspended_until)
    ahead = [end for end in ends if context.now < end < float("inf")]
    if ahead:
        context.state.timers.set(Timeout.PAUSE, worker.wallet, min(ahead))


def pause_ended(context: EventContext, wallet: str) -> None:
    """Match a worker whose drain or quarantine ended; the other may still be in effect."""
    context.workers_to_match[wallet] = None
    set_timer(context, context.state.workers[wallet].worker)
