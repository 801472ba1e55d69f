"""Pauses of workers: a drain by an operator, and a quarantine after consecutive failures that doubles each time."""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import SendDrain
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import WorkerDrained
from workerpool_core.domain.model import Replicate, Task, Worker
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
_NOT_THE_WORKERS_FAULT = frozenset(
    {
        _C.APP_IMAGE_DOWNLOAD_FAILED,
        _C.INPUT_FILES_DOWNLOAD_FAILED,
        _C.DATASET_FILE_DOWNLOAD_FAILED,
        _C.DATASET_FILE_BAD_CHECKSUM,
        _C.APP_COMPUTE_FAILED,
        _C.APP_COMPUTE_TIMEOUT,
        _C.TASK_NOT_ACTIVE,
        _C.TASK_ALREADY_CONTRIBUTED,
        _C.TASK_DESCRIPTION_INVALID,
        _C.CONTRIBUTION_ALREADY_SET,
        _C.CONTRIBUTION_TIMEOUT,
        _C.CONSENSUS_REACHED,
        _C.TRUST_NOT_1,
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
    """Count a failure of a worker and quarantine it after too many; read the chain if it may know the cause.

    Failures that the requester or the state of the task caused do not count.
    """
    if status not in _FAILURES:
        return
    if cause in _CHAIN_CAUSES or status in _CHAIN_FAILURES:
        context.read_task(task)
    if cause in _NOT_THE_WORKERS_FAULT:
        return
    policy = context.state.policy
    worker = context.state.workers[replicate.wallet].worker
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


def released(context: EventContext, wallet: str) -> None:
    """End a quarantine and reset the failure count."""
    if (live := context.state.workers.get(wallet)) is not None:
        live.worker.quarantined_until = 0.0
        live.worker.consecutive_failures = 0
        transitions.save_worker(context, live.worker)


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
    """Set the timer for the next end of a worker's drain or quarantine; an infinite drain has no end."""
    ends = (worker.drained_until, worker.quarantined_until)
    ahead = [end for end in ends if context.now < end < float("inf")]
    if ahead:
        context.state.timers.set(Timeout.PAUSE, worker.wallet, min(ahead))


def pause_ended(context: EventContext, wallet: str) -> None:
    """Match a worker whose drain or quarantine ended; the other one may still last."""
    context.workers_to_match[wallet] = None
    set_timer(context, context.state.workers[wallet].worker)
