"""The upload of the result by one revealed worker at a time, replaced when it fails or is silent (core spec §1.2)."""

from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import CheckResult
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import ResultChecked
from workerpool_core.domain.model import Action, Replicate, Task
from workerpool_core.domain.replicates.replicate_machine import missing_statuses
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import commands

_R = ReplicateStatus
_UPLOADS = (_R.RESULT_UPLOAD_REQUESTED, _R.RESULT_UPLOADING)


def has_callback(task: Task) -> bool:
    """Return whether the result is sent to a callback contract."""
    return task.terms.callback not in ("", ZERO_ADDRESS)


def goes_to_proxy(task: Task) -> bool:
    """Return whether the pool's result proxy stores the result: every result except that of a callback.

    Workers store a result there whatever storage the deal names, so the proxy can prove it.
    """
    return not has_callback(task)


def is_expected(task: Task, replicate: Replicate) -> bool:
    """Return whether the uploader has not delivered yet."""
    return task.status is TaskStatus.RESULT_UPLOADING and not replicate.has_reached(_R.RESULT_UPLOADED)


# --- the choice of the uploader -----------------------------------------------------------------


def advance(context: EventContext, task: Task) -> None:
    """Record a delivered result, or ensure that one worker is uploading."""
    for replicate in task.replicates.values():
        if replicate.has_reached(_R.RESULT_UPLOADED):
            _delivered(context, task, replicate)
            return
    was_requested = task.status is TaskStatus.RESULT_UPLOADING
    if was_requested and _is_uploading(context, task.replicates.get(task.uploader)):
        return
    uploading = [r for r in task.replicates.values() if _is_uploading(context, r)]
    if uploading:
        _set_uploader(context, task, uploading[0])
        return
    candidates = _candidates(context, task)
    if candidates:
        _dismiss_uploader(context, task)
        chosen = context.state.random.choice(candidates)
        transitions.move_replicate(context, chosen, _R.RESULT_UPLOAD_REQUESTED)
        commands.send(context, chosen.wallet, task.task_id, Action.UPLOAD)
        _set_uploader(context, task, chosen)
    elif was_requested and not context.state.timers.is_set(Timeout.UPLOAD, task.task_id):
        _set_timeout(context, task)


def _is_uploading(context: EventContext, replicate: Replicate | None) -> bool:
    if replicate is None or context.state.workers[replicate.wallet].worker.lost:
        return False
    return replicate.last_relevant in _UPLOADS


def _candidates(context: EventContext, task: Task) -> list[Replicate]:
    """Return the replicates with REVEALED as their last status, of connected workers only if there are any."""
    workers = context.state.workers
    revealed = [
        replicate
        for _, replicate in sorted(task.replicates.items())
        if replicate.last_relevant is _R.REVEALED and not workers[replicate.wallet].worker.lost
    ]
    return [r for r in revealed if workers[r.wallet].session is not None] or revealed


def _dismiss_uploader(context: EventContext, task: Task) -> None:
    """Withdraw the uploader's command and record its failure."""
    uploader = task.replicates.get(task.uploader)
    if uploader is None or uploader.last_relevant not in _UPLOADS:
        return
    commands.withdraw(context, context.state.workers[uploader.wallet], task.task_id)
    # In the tables the only path from the request to the failure leads through RESULT_UPLOADING.
    for status in (*missing_statuses(uploader, _R.RESULT_UPLOADING), _R.RESULT_UPLOAD_FAILED):
        transitions.move_replicate(context, uploader, status)


def _set_uploader(context: EventContext, task: Task, replicate: Replicate) -> None:
    transitions.move_task(
        context,
        task,
        TaskStatus.RESULT_UPLOADING,
        uploader=replicate.wallet,
        upload_requested_at=context.now,
    )
    _set_timeout(context, task)


def _set_timeout(context: EventContext, task: Task) -> None:
    timeout_s = context.state.policy.upload_timeout_s
    context.state.timers.set(Timeout.UPLOAD, task.task_id, context.now + timeout_s)


def _delivered(context: EventContext, task: Task, replicate: Replicate) -> None:
    if task.status is TaskStatus.AT_LEAST_ONE_REVEALED:
        transitions.move_task(context, task, TaskStatus.RESULT_UPLOADING, uploader=replicate.wallet)
    context.state.timers.cancel(Timeout.UPLOAD, task.task_id)
    transitions.move_task(
        context,
        task,
        TaskStatus.RESULT_UPLOADED,
        uploader=replicate.wallet,
        result_link=replicate.result_link,
        callback_data=replicate.callback_data,
    )


# --- timeouts and the result proxy --------------------------------------------------------------


def check(context: EventContext, task: Task) -> None:
    """Check whether the pool's result proxy holds the archive.

    Workers upload there whatever proxy the deal names (case deal-proxy-url).
    """
    context.effects.append(CheckResult(task.task_id))


def checked(context: EventContext, task: Task, event: ResultChecked) -> None:
    """Record the archive that the proxy holds, or replace an overdue uploader when there is none."""
    if task.status is not TaskStatus.RESULT_UPLOADING:
        return
    if event.stored:
        _stored(context, task, event.result_link)
    elif context.now >= task.upload_requested_at + context.state.policy.upload_timeout_s:
        replace_uploader(context, task)


def overdue(context: EventContext, task: Task) -> None:
    """Handle an upload timeout; check the proxy first, because it may hold the result."""
    if task.status is not TaskStatus.RESULT_UPLOADING:
        return
    if goes_to_proxy(task):
        retry_at = context.now + context.state.policy.read_timeout_s
        context.state.timers.set(Timeout.UPLOAD, task.task_id, retry_at)
        check(context, task)
    else:
        replace_uploader(context, task)


def replace_uploader(context: EventContext, task: Task) -> None:
    """Choose another uploader; without another candidate, request the upload from the same one again."""
    uploader = task.replicates.get(task.uploader)
    if _candidates(context, task):
        _dismiss_uploader(context, task)
        context.tasks_to_advance[task.task_id] = None
        return
    _set_timeout(context, task)
    if uploader is None or uploader.status in (_R.ABORTED, _R.FAILED, _R.COMPLETED):
        return
    worker = context.state.workers[uploader.wallet]
    # A disconnected worker receives the command that is still pending when it reconnects.
    if worker.session is not None or not commands.is_pending(worker, task.task_id, Action.UPLOAD):
        commands.send(context, uploader.wallet, task.task_id, Action.UPLOAD)
        transitions.update_task(context, task, upload_requested_at=context.now)


def _stored(context: EventContext, task: Task, result_link: str) -> None:
    """Record the delivery of an uploader that could not report it."""
    replicate = task.replicates.get(task.uploader)
    if replicate is None or replicate.has_reached(_R.RESULT_UPLOADED):
        return
    statuses = missing_statuses(replicate, _R.RESULT_UPLOADED)
    for status in statuses:
        transitions.move_replicate(context, replicate, status)
    if statuses and not replicate.result_link:
        transitions.update_replicate(context, replicate, result_link=result_link)
