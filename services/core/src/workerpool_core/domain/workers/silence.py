"""Workers that stay connected but make no progress on a replicate.

A worker is silent when it reports nothing for longer than its current step may take. Before it has a result, it loses
the replicate, and the failure counts. Downloads and the computation may take twice the category time, because
fetching, computing and packing have separate limits.

A worker with a result may have a contribution in flight. Aborting it would lose the worker's stake. So the task is only
offered to another worker, and the failure counts when the contribution is still missing later.
"""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import WAITING_CONTRIBUTION_TASK_STATUSES, ReplicateStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.model import Action, Replicate, Task
from workerpool_core.domain.replicates.consensus_forecast import is_at_dead_end
from workerpool_core.domain.replicates.failures import OUTCOMES, awaits_decision
from workerpool_core.domain.replicates.replicate_machine import SLOT_STATUSES
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import commands, quarantine

_R = ReplicateStatus
_DOWNLOADS = frozenset({_R.APP_DOWNLOADING, _R.DATA_DOWNLOADING})
_EXECUTING = SLOT_STATUSES - {_R.CREATED}
_CONTRIBUTING = OUTCOMES | {_R.CONTRIBUTING, _R.CONTRIBUTE_AND_FINALIZE_ONGOING}
_BLAMED_AFTER = 3
"""Proof timeouts after which a late contribution counts as a failure."""


def observe(context: EventContext, task: Task, replicate: Replicate) -> None:
    """Set the timer that checks a replicate's progress."""
    if _is_observed(task, replicate):
        _check_later(context, task, replicate, context.now)


def check(context: EventContext, task: Task, replicate: Replicate) -> None:
    """Handle a silent worker; otherwise check its progress again later."""
    if not _is_observed(task, replicate):
        return
    due = _due(context, task, replicate)
    # A lost worker is not silent, and no worker makes progress while the chain is down or lacks the task.
    live = context.state.workers[replicate.wallet]
    if live.away_until > context.now:
        due = max(due, live.away_until + context.state.policy.progress_timeout_s)
    if (
        live.worker.lost
        or not task.initialization_block
        or not context.state.chain_up
        or context.recently_reorganised
    ):
        due = max(due, context.now + context.state.policy.progress_timeout_s)
    if context.now < due:
        _check_later(context, task, replicate, due)
    elif replicate.last_relevant in _EXECUTING:
        status, silent_s = replicate.last_relevant, context.now - _last_report(context, replicate)
        message = f"The worker reported nothing for {silent_s:.0f} s after {status}."
        abort(context, task, replicate, ReplicateStatusCause.EXECUTION_TIMEOUT, message)
    elif not replicate.overdue:
        transitions.update_replicate(context, replicate, overdue=True)
        context.tasks_to_advance[task.task_id] = None
        _check_later(context, task, replicate, context.now)
    else:
        transitions.update_replicate(context, replicate, blamed=True)
        quarantine.count(context, replicate.wallet)


def abort(
    context: EventContext, task: Task, replicate: Replicate, cause: ReplicateStatusCause, message: str
) -> None:
    """Abort a replicate that made no progress, and count the failure of its worker."""
    commands.send(context, replicate.wallet, task.task_id, Action.ABORT, cause=cause)
    transitions.move_replicate(context, replicate, _R.ABORTED, cause=cause, message=message)
    context.tasks_to_advance[task.task_id] = None
    quarantine.count(context, replicate.wallet)


def _is_observed(task: Task, replicate: Replicate) -> bool:
    """Return whether the scheduler waits for the worker's next report or contribution."""
    if (
        task.status not in WAITING_CONTRIBUTION_TASK_STATUSES
        or replicate.contribution_hash
        or replicate.blamed
    ):
        return False
    status = replicate.last_relevant
    return (
        (status in _EXECUTING or status in _CONTRIBUTING)
        and not is_at_dead_end(replicate)
        and not awaits_decision(replicate)
    )


def _check_later(context: EventContext, task: Task, replicate: Replicate, at: float) -> None:
    due = max(_due(context, task, replicate), at)
    context.state.timers.set(Timeout.EXECUTION, task.task_id, due, replicate.wallet)


def _last_report(context: EventContext, replicate: Replicate) -> float:
    """Return when a replicate last made progress, or core started if later (Unix seconds).

    A recovery is no progress: a worker that keeps restarting would hold the task.
    """
    reported = next(c.date for c in reversed(replicate.history) if c.status is not _R.RECOVERING)
    return max(reported, replicate.decided_at, context.state.started_at)


def _due(context: EventContext, task: Task, replicate: Replicate) -> float:
    """Return when the worker counts as silent, late or at fault if it reports nothing (Unix seconds)."""
    policy, status = context.state.policy, replicate.last_relevant
    if status in _CONTRIBUTING:
        longest = policy.proof_timeout_s * (_BLAMED_AFTER if replicate.overdue else 1)
    elif status in _DOWNLOADS:
        longest = max(2.0 * task.terms.max_execution_s, policy.download_s) + policy.progress_timeout_s
    elif status is _R.COMPUTING:
        longest = 2.0 * task.terms.max_execution_s + policy.progress_timeout_s
    else:
        longest = policy.progress_timeout_s
    due = _last_report(context, replicate) + longest
    # A reconnected worker gets additional time, but only once.
    session = context.state.workers[replicate.wallet].session
    reconnected = context.now if session is None else session.opened_at
    return max(due, min(reconnected, due) + policy.progress_timeout_s) if status in _EXECUTING else due
