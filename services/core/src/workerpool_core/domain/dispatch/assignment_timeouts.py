"""Assignment timeouts: a task that its worker does not start goes to another worker within seconds.

A timeout counts from the moment the assignment was sent, because a slow store delays the sending. A worker whose
assignment timed out gets no new work until it reports; all its timeouts until then count as one failure. A late start
is accepted unless the replicate was replaced.
"""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import Assign
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import AssignmentsSent
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Action, Replicate, Task
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import commands, quarantine

_SUSPENDED_S = 1.0
"""A timer that fires this late shows that this process was suspended. The worker's report may wait unread."""
_RESEND_FACTOR = 3
"""Timeouts between two sendings of an assignment that has not been replaced."""


def sent(context: EventContext, event: AssignmentsSent) -> None:
    """Record when assignments were sent."""
    workers = context.state.workers
    for wallet, task_id in event.pairs:
        live = workers.get(wallet)
        if live is not None and task_id in live.held:
            # Keep the first time: a reconnection must not restart the timeout.
            live.sent_at.setdefault(task_id, context.now)


def restart(context: EventContext, replicate: Replicate) -> None:
    """Set the timer of an assignment after a restart of core; its worker must reconnect first."""
    if replicate.status is ReplicateStatus.CREATED:
        due = context.now + context.state.policy.liveness_s
        context.state.timers.set(Timeout.ASSIGNMENT, replicate.task_id, due, replicate.wallet)


def connected(context: EventContext, live: LiveWorker) -> None:
    """Clear the silence of a worker that connected; its assignments are sent again."""
    live.silent = False
    # They count as expected contributions again.
    context.tasks_to_match.update(dict.fromkeys(live.unanswered))
    for task_id in live.unanswered:
        live.sent_at.pop(task_id, None)
    live.unanswered.clear()
    for task_id in live.held:
        replicate = context.state.tasks[task_id].task.replicates[live.worker.wallet]
        if replicate.status is ReplicateStatus.CREATED:
            due = live.sent_at.get(task_id, context.now) + context.state.policy.assignment_timeout_s
            context.state.timers.set(Timeout.ASSIGNMENT, task_id, due, live.worker.wallet)


def heard(context: EventContext, live: LiveWorker) -> None:
    """Make a silent worker available again after a report or an acknowledgement."""
    if live.silent:
        live.silent = False
        context.workers_to_match[live.worker.wallet] = None


def fire(context: EventContext, task: Task, wallet: str) -> None:
    """Handle an assignment timeout."""
    replicate = task.replicates[wallet]
    if task.ended or replicate.status is not ReplicateStatus.CREATED:
        return
    live = context.state.workers[wallet]
    timeout_s = context.state.policy.assignment_timeout_s
    if task.task_id in live.unanswered:
        _resend(context, task, live)
        return
    if live.session is not None:
        sent_at = live.sent_at.get(task.task_id)
        if sent_at is None:
            # The assignment is not sent yet, because the store is slow.
            _set_timer(context, task, wallet, context.now + timeout_s)
            return
        due = sent_at + timeout_s
        if context.now >= due + _SUSPENDED_S:
            live.sent_at[task.task_id] = context.now
            due = context.now + timeout_s
        if context.now < due:
            _set_timer(context, task, wallet, due)
            return
    _timed_out(context, task, live)


def _timed_out(context: EventContext, task: Task, live: LiveWorker) -> None:
    """Make a task available to other workers; count the silence once, however many assignments time out."""
    if not live.silent:
        live.silent = True
        quarantine.count(context, live.worker.wallet)
    live.unanswered.add(task.task_id)
    context.tasks_to_match[task.task_id] = None
    context.tasks_to_advance[task.task_id] = None
    context.workers_to_match[live.worker.wallet] = None
    resend_at = context.now + _RESEND_FACTOR * context.state.policy.assignment_timeout_s
    _set_timer(context, task, live.worker.wallet, resend_at)


def _resend(context: EventContext, task: Task, live: LiveWorker) -> None:
    """Resend an assignment that no other worker could take."""
    resend_at = context.now + _RESEND_FACTOR * context.state.policy.assignment_timeout_s
    _set_timer(context, task, live.worker.wallet, resend_at)
    if live.session is not None:
        context.effects.append(Assign(live.worker.wallet, task.task_id))


def _set_timer(context: EventContext, task: Task, wallet: str, at: float) -> None:
    context.state.timers.set(Timeout.ASSIGNMENT, task.task_id, at, wallet)


def replaced(context: EventContext, task: Task) -> None:
    """Abort the assignments of a task that timed out, after another worker got the task."""
    workers, limit_s = context.state.workers, context.state.policy.assignment_timeout_s
    for wallet, replicate in task.replicates.items():
        if task.task_id in workers[wallet].unanswered and replicate.status is ReplicateStatus.CREATED:
            cause = ReplicateStatusCause.ASSIGNMENT_TIMEOUT
            commands.send(context, wallet, task.task_id, Action.ABORT, cause=cause)
            message = f"The worker did not start the task within {limit_s:g} s, so another worker got it."
            transitions.move_replicate(
                context, replicate, ReplicateStatus.ABORTED, cause=cause, message=message
            )
