"""What a worker that says Hello is told about the replicates it holds, and about those it should (core spec §3)."""

from collections.abc import Sequence

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import (
    WAITING_CONTRIBUTION_TASK_STATUSES,
    WAITING_REVEAL_TASK_STATUSES,
    ReplicateStatus,
    TaskStatus,
)

from workerpool_core.domain.decisions import Assign, SendCommand
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import Held
from workerpool_core.domain.model import Action, Replicate, Task, Worker
from workerpool_core.domain.replicates import uploads
from workerpool_core.domain.replicates.consensus_forecast import at_dead_end, is_caf_eligible, wants_more
from workerpool_core.domain.replicates.replicate_machine import may_follow

_R = ReplicateStatus
_WITH_ASSIGNMENT = (Action.CONTRIBUTE, Action.CONTRIBUTE_AND_FINALIZE, Action.REVEAL, Action.UPLOAD)
_REVEAL_PHASE = (*WAITING_REVEAL_TASK_STATUSES, TaskStatus.FINALIZING, TaskStatus.REOPENING)


def resume(turn: Turn, worker: Worker, held: Sequence[Held]) -> tuple[str, ...]:
    """Send every pending command again, decide on each replicate, and return the ids the worker should drop."""
    for _, command in sorted(worker.pending.items()):
        turn.effects.append(SendCommand(command, command.action in _WITH_ASSIGNMENT))
    holds = {replicate.task_id: replicate for replicate in held}
    ours = sorted(turn.state.held.get(worker.wallet, ()))
    wanted = set()
    for task_id in ours:
        task = turn.state.tasks[task_id]
        if _resume(turn, task, task.replicates[worker.wallet], worker, holds.get(task_id)):
            wanted.add(task_id)
    # A pending COMPLETE or ABORT says more than dropping would.
    wanted.update(command.task_id for command in worker.pending.values())
    return tuple(task_id for task_id in holds if task_id not in wanted)


def _resume(turn: Turn, task: Task, replicate: Replicate, worker: Worker, held: Held | None) -> bool:
    """Decide on one replicate; return whether the worker should keep it."""
    if at_dead_end(replicate):
        return False
    if task.ended:
        if held is not None:
            done = task.status is TaskStatus.COMPLETED
            _order(turn, worker, task, Action.COMPLETE if done else Action.ABORT)
        return held is not None
    if task.status in _REVEAL_PHASE:
        return _resume_reveal(turn, task, replicate, worker, held)
    if replicate.contribution_hash:
        return _keep_or_abandon(turn, replicate, held)
    if task.status not in WAITING_CONTRIBUTION_TASK_STATUSES:
        return True
    if worker.lost and not wants_more(task, turn.state.workers, turn.now):
        # Others took his place while he was away.
        _abandon(turn, replicate)
        return False
    if held is None:
        turn.effects.append(Assign(worker.wallet, task.task_id))
        return True
    _recovering(turn, replicate)
    if held.result_available:
        caf = is_caf_eligible(task) and not replicate.ever(_R.CONTRIBUTING)
        _order(turn, worker, task, Action.CONTRIBUTE_AND_FINALIZE if caf else Action.CONTRIBUTE)
    else:
        turn.effects.append(Assign(worker.wallet, task.task_id))
    return True


def _resume_reveal(turn: Turn, task: Task, replicate: Replicate, worker: Worker, held: Held | None) -> bool:
    if not replicate.contribution_hash or replicate.contribution_hash != task.consensus:
        _order(turn, worker, task, Action.ABORT, cause=ReplicateStatusCause.CONSENSUS_REACHED)
        return True
    if not _keep_or_abandon(turn, replicate, held):
        return False
    if not replicate.ever(_R.REVEALED):
        _order(turn, worker, task, Action.REVEAL, block=task.consensus_block)
    elif task.uploader == worker.wallet and uploads.is_expected(task, replicate):
        _order(turn, worker, task, Action.UPLOAD)
        if replicate.ever(_R.RESULT_UPLOADING) and uploads.lies_in_proxy(task):
            uploads.check(turn, task)
    return True


def _keep_or_abandon(turn: Turn, replicate: Replicate, held: Held | None) -> bool:
    """Without the replicate's files the worker can neither reveal nor upload: it is over."""
    if held is None:
        _abandon(turn, replicate)
        return False
    _recovering(turn, replicate)
    return True


def _abandon(turn: Turn, replicate: Replicate) -> None:
    """End a replicate for its worker; one that gave up once and was repaired since is left as it is."""
    if not replicate.ever(_R.ABORTED):
        turn.move_replicate(replicate, _R.ABORTED)


def _recovering(turn: Turn, replicate: Replicate) -> None:
    """Record that the worker is back, once; before STARTING the tables have no way back to it."""
    if replicate.last_relevant is _R.CREATED or replicate.ever(_R.RECOVERING):
        return
    if may_follow(replicate.status, _R.RECOVERING):
        turn.move_replicate(replicate, _R.RECOVERING)


def _order(
    turn: Turn,
    worker: Worker,
    task: Task,
    action: Action,
    *,
    block: int = 0,
    cause: ReplicateStatusCause | None = None,
) -> None:
    """Queue a command unless the same one is still to be acknowledged."""
    known = any(c.task_id == task.task_id and c.action is action for c in worker.pending.values())
    if not known:
        turn.command(
            worker.wallet,
            task.task_id,
            action,
            block=block,
            cause=cause,
            resume=action in _WITH_ASSIGNMENT,
        )
