"""The next step of a task, decided from its present state after every change."""

from workerpool_poco.protocol.statuses import RUNNING_REPLICATE_STATUSES, ReplicateStatus, TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.dispatch.hardware import capability_of, needs_enclave, requirement_of
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Task
from workerpool_core.domain.replicates import error_results, uploads
from workerpool_core.domain.replicates.consensus_forecast import is_at_dead_end
from workerpool_core.domain.tasks import completion, initialization

_FAILED_BEFORE_COMPUTED = (
    ReplicateStatus.START_FAILED,
    ReplicateStatus.APP_DOWNLOAD_FAILED,
    ReplicateStatus.DATA_DOWNLOAD_FAILED,
    ReplicateStatus.COMPUTE_FAILED,
)


def advance(context: EventContext, task: Task) -> None:
    """Take every step that is due, then decide on the error results that workers hold."""
    _take_steps(context, task)
    error_results.advance(context, task)


def _take_steps(context: EventContext, task: Task) -> None:
    while not task.ended:
        # The next step considers every change so far.
        context.tasks_to_advance.pop(task.task_id, None)
        before = task.status
        _step(context, task)
        if task.status is before:
            return


def _step(context: EventContext, task: Task) -> None:
    match task.status:
        case TaskStatus.RECEIVED:
            initialization.initialize(context, task)
        case TaskStatus.INITIALIZED:
            if any(r.last_relevant in RUNNING_REPLICATE_STATUSES for r in task.replicates.values()):
                transitions.move_task(context, task, TaskStatus.RUNNING)
        case TaskStatus.RUNNING:
            if needs_enclave(task.terms.tag) and no_worker_can_run(context, task):
                completion.fail_after_read(context, task, TaskStatus.RUNNING_FAILED)
        case TaskStatus.CONSENSUS_REACHED:
            if reveal_count(task):
                transitions.move_task(context, task, TaskStatus.AT_LEAST_ONE_REVEALED)
        case TaskStatus.AT_LEAST_ONE_REVEALED | TaskStatus.RESULT_UPLOADING:
            uploads.advance(context, task)
        case TaskStatus.RESULT_UPLOADED:
            if is_finalizable(task, context.now):
                transitions.move_task(context, task, TaskStatus.FINALIZING)
                context.request_transaction(TransactionKind.FINALIZE, task)
        case TaskStatus.REOPENED:
            transitions.move_task(context, task, TaskStatus.INITIALIZED)
        case TaskStatus.FINALIZED:
            transitions.move_task(context, task, TaskStatus.COMPLETED)


def reveal_count(task: Task) -> int:
    """Return how many replicates revealed on chain."""
    return sum(replicate.has_reached(ReplicateStatus.REVEALED) for replicate in task.replicates.values())


def is_finalizable(task: Task, now: float) -> bool:
    """Return whether the contract accepts `finalize`: all winners revealed, or one did and the reveal phase ended."""
    if now >= task.terms.final_deadline:
        return False
    revealed = reveal_count(task)
    return revealed >= task.winner_count > 0 or (revealed > 0 and now >= task.reveal_deadline)


def no_worker_can_run(context: EventContext, task: Task) -> bool:
    """Return whether every live worker with the required hardware tried the task and failed before COMPUTED.

    Without any such worker the result is False: one may connect later.
    """
    requirement = requirement_of(task.terms.tag)
    able = [
        live.worker
        for live in context.state.workers.values()
        if not live.worker.lost and capability_of(live.worker.model).meets(requirement)
    ]
    if not able:
        return False
    for worker in able:
        replicate = task.replicates.get(worker.wallet)
        if replicate is None or replicate.contribution_hash or not is_at_dead_end(replicate):
            # Not a dead end: a download failure that the requester caused is contributed as the result.
            return False
        if not any(map(replicate.has_reached, _FAILED_BEFORE_COMPUTED)):
            return False
    return True
