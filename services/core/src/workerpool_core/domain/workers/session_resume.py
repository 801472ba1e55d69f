"""The resumption of a worker's replicates after its Hello (core spec §3)."""

from collections.abc import Sequence

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import (
    WAITING_CONTRIBUTION_TASK_STATUSES,
    WAITING_REVEAL_TASK_STATUSES,
    ReplicateStatus,
    TaskStatus,
)

from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import Assign, SendCommand
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import HeldReplicate
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Action, ErrorDecision, Replicate, Task
from workerpool_core.domain.replicates import uploads
from workerpool_core.domain.replicates.consensus_forecast import is_at_dead_end, is_caf_eligible, wants_more
from workerpool_core.domain.replicates.failures import failure_of, outcome
from workerpool_core.domain.replicates.replicate_machine import may_follow
from workerpool_core.domain.workers import commands

_R = ReplicateStatus
_WITH_ASSIGNMENT = (Action.CONTRIBUTE, Action.CONTRIBUTE_AND_FINALIZE, Action.REVEAL, Action.UPLOAD)
_REVEAL_PHASE = (*WAITING_REVEAL_TASK_STATUSES, TaskStatus.FINALIZING, TaskStatus.REOPENING)


def resume(context: EventContext, worker: LiveWorker, held: Sequence[HeldReplicate]) -> tuple[TaskId, ...]:
    """Resend every unacknowledged command, resume each replicate, and return the task ids the worker should drop."""
    for _, command in sorted(worker.commands.items()):
        context.effects.append(SendCommand(command, command.action in _WITH_ASSIGNMENT))
    held_by_task = {replicate.task_id: replicate for replicate in held}
    wallet = worker.worker.wallet
    kept = set()
    for task_id in sorted(worker.held):
        task = context.state.tasks[task_id].task
        if _resume_replicate(context, task, task.replicates[wallet], worker, held_by_task.get(task_id)):
            kept.add(task_id)
    # A pending COMPLETE or ABORT is more specific than an entry in the list of dropped tasks.
    kept.update(command.task_id for command in worker.commands.values())
    return tuple(task_id for task_id in held_by_task if task_id not in kept)


def _resume_replicate(
    context: EventContext, task: Task, replicate: Replicate, worker: LiveWorker, held: HeldReplicate | None
) -> bool:
    """Resume one replicate; return whether the worker should keep it."""
    if is_at_dead_end(replicate):
        return False
    if task.ended:
        if held is not None:
            completed = task.status is TaskStatus.COMPLETED and task.task_id not in worker.computing
            _send_once(context, worker, task, Action.COMPLETE if completed else Action.ABORT)
        return held is not None
    if task.status in _REVEAL_PHASE:
        return _resume_reveal(context, task, replicate, worker, held)
    if replicate.contribution_hash:
        return _recover_or_abort(context, replicate, held)
    if task.status not in WAITING_CONTRIBUTION_TASK_STATUSES:
        return True
    if worker.worker.lost and not wants_more(task, context.state.workers, context.now):
        # The replicate was replaced while its worker was lost.
        _abort(context, replicate)
        return False
    if held is None:
        context.effects.append(Assign(replicate.wallet, task.task_id))
        return True
    _record_recovery(context, replicate)
    if failure_of(replicate) is not None:
        _resume_error_result(context, task, replicate, worker)
    elif held.result_available:
        if outcome(replicate) is None:
            # Its pending report shows whether the result is an error result.
            return True
        caf = is_caf_eligible(task) and not replicate.has_reached(_R.CONTRIBUTING)
        action = Action.CONTRIBUTE_AND_FINALIZE if caf else Action.CONTRIBUTE
        _send_once(context, worker, task, action)
    else:
        context.effects.append(Assign(replicate.wallet, task.task_id))
    return True


def _resume_error_result(context: EventContext, task: Task, replicate: Replicate, worker: LiveWorker) -> None:
    """Repeat the decision on an error result, or decide it in this event."""
    if replicate.error_decision is ErrorDecision.CONTRIBUTE:
        _send_once(context, worker, task, Action.CONTRIBUTE)
    else:
        context.tasks_to_advance[task.task_id] = None


def _resume_reveal(
    context: EventContext, task: Task, replicate: Replicate, worker: LiveWorker, held: HeldReplicate | None
) -> bool:
    if not replicate.contribution_hash or replicate.contribution_hash != task.consensus:
        _send_once(context, worker, task, Action.ABORT, cause=ReplicateStatusCause.CONSENSUS_REACHED)
        return True
    if not _recover_or_abort(context, replicate, held):
        return False
    if not replicate.has_reached(_R.REVEALED):
        _send_once(context, worker, task, Action.REVEAL, block=task.consensus_block)
    elif task.uploader == replicate.wallet and uploads.is_expected(task, replicate):
        _send_once(context, worker, task, Action.UPLOAD)
        if replicate.has_reached(_R.RESULT_UPLOADING) and uploads.goes_to_proxy(task):
            uploads.check(context, task)
    return True


def _recover_or_abort(context: EventContext, replicate: Replicate, held: HeldReplicate | None) -> bool:
    """Record the recovery of a replicate; return False and abort it if its worker has lost its files.

    Without them the worker can neither reveal nor upload.
    """
    if held is None:
        _abort(context, replicate)
        return False
    _record_recovery(context, replicate)
    return True


def _abort(context: EventContext, replicate: Replicate) -> None:
    """Record ABORTED, unless the history has it already, before a proof that repaired the replicate."""
    if not replicate.has_reached(_R.ABORTED):
        transitions.move_replicate(context, replicate, _R.ABORTED)


def _record_recovery(context: EventContext, replicate: Replicate) -> None:
    """Record RECOVERING once; the tables allow no return from it to CREATED or STARTING."""
    if replicate.last_relevant is _R.CREATED or replicate.has_reached(_R.RECOVERING):
        return
    if may_follow(replicate.status, _R.RECOVERING):
        transitions.move_replicate(context, replicate, _R.RECOVERING)


def _send_once(
    context: EventContext,
    worker: LiveWorker,
    task: Task,
    action: Action,
    *,
    block: int = 0,
    cause: ReplicateStatusCause | None = None,
) -> None:
    """Send a command unless the same one is unacknowledged."""
    if not commands.is_pending(worker, task.task_id, action):
        commands.send(
            context,
            worker.worker.wallet,
            task.task_id,
            action,
            block=block,
            cause=cause,
            resume=action in _WITH_ASSIGNMENT,
        )
