"""Pending reports, which await a proof by the chain or the result proxy: queued, retried, confirmed or refused.

Only an answer of the chain refuses a report that the chain can prove. The report stays pending as long as the chain
cannot be read.
"""

from collections import deque
from dataclasses import replace

from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import Update
from workerpool_core.domain.live import LiveTask, PendingReports
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.domain.replicates import acceptance, answers, uploads
from workerpool_core.domain.replicates.acceptance import PROVEN_BY_CHAIN, PROVEN_BY_PROXY
from workerpool_core.domain.replicates.replicate_machine import Verdict, is_provable, judge
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import quarantine

_R = ReplicateStatus


def await_proof(context: EventContext, wallet: str, session_id: str, update: Update) -> None:
    """Queue an update until it is proven."""
    live = context.state.tasks[update.task_id]
    _enqueue(context, live, wallet, session_id, deque((without_logs(update),)))


def _enqueue(
    context: EventContext, live: LiveTask, wallet: str, session_id: str, updates: deque[Update]
) -> None:
    policy = context.state.policy
    deadline = context.now + policy.proof_timeout_s
    live.pending_reports[wallet] = PendingReports(session_id, updates, context.now, deadline)
    context.state.timers.set(Timeout.PROOF, live.task.task_id, context.now + policy.retry_s)
    if updates[0].status in PROVEN_BY_CHAIN:
        context.read_task(live.task)
    else:
        uploads.check(context, live.task)


def without_logs(update: Update) -> Update:
    """Return an update without logs: only earlier statuses have app output, and logs would fill the memory."""
    return update._replace(details=replace(update.details, stdout="", stderr=""))


# --- answers of the chain -----------------------------------------------------------------------


def answered_by_chain(
    context: EventContext,
    task: Task,
    replicate: Replicate,
    proven: frozenset[ReplicateStatus],
    requested_at: float,
) -> None:
    """Decide on a pending report with the statuses that a read of the chain, requested at `requested_at`, proves."""
    pending = context.live(task).pending_reports.get(replicate.wallet)
    if pending is None:
        return
    status = pending.updates[0].status
    if status in proven and replicate.weight > 0 and _can_enter(replicate, status):
        _confirm(context, task, replicate, pending)
        quarantine.reset_failures(context, replicate)
    elif status in PROVEN_BY_CHAIN and status not in proven and requested_at >= pending.deadline:
        _refuse_first(context, task, replicate.wallet, pending)
    else:
        resume_if_settled(context, task, replicate.wallet)


def take_missing_transaction(
    context: EventContext, replicate: Replicate, requested_at: float
) -> ReplicateStatus | None:
    """Return the reported status whose transaction a later read of the chain does not show; None when returned before.

    A reorganisation removed the transaction, perhaps before its block was followed, or the node lags.
    """
    live = context.state.tasks[replicate.task_id]
    pending = live.pending_reports.get(replicate.wallet)
    if pending is None or pending.resubmission_requested or pending.updates[0].status not in PROVEN_BY_CHAIN:
        return None
    if requested_at < pending.since + context.state.policy.retry_s:
        return None
    pending.resubmission_requested = True
    return pending.updates[0].status


# --- answers of the result proxy ----------------------------------------------------------------


def answered_by_proxy(context: EventContext, task: Task, is_stored: bool) -> None:
    """Decide on the pending upload reports of a task with the result proxy's answer."""
    pending_reports = context.live(task).pending_reports
    for wallet, replicate in list(task.replicates.items()):
        pending = pending_reports.get(wallet)
        if pending is None or pending.updates[0].status not in PROVEN_BY_PROXY:
            continue
        update = pending.updates[0]
        delivered = update.status is _R.RESULT_UPLOADED
        is_true = delivered is is_stored and (not delivered or acceptance.has_result(task, update))
        if is_true and _can_enter(replicate, update.status):
            _confirm(context, task, replicate, pending)
        else:
            _refuse_first(context, task, wallet, pending)


# --- time and sessions --------------------------------------------------------------------------


def retry(context: EventContext, task: Task) -> None:
    """Request the missing proofs again; refuse reports that the proxy had enough time to prove."""
    pending_reports = context.live(task).pending_reports
    by_chain = by_proxy = False
    for wallet in list(task.replicates):
        pending = pending_reports.get(wallet)
        if pending is None:
            continue
        needs_chain = pending.updates[0].status in PROVEN_BY_CHAIN
        if task.ended or (context.now >= pending.deadline and not needs_chain):
            _refuse_first(context, task, wallet, pending)
        elif needs_chain:
            by_chain = True
        else:
            by_proxy = True
    if (by_chain or by_proxy) and not task.ended:
        context.state.timers.set(Timeout.PROOF, task.task_id, context.now + context.state.policy.retry_s)
    if by_chain:
        context.read_task(task)
    if by_proxy:
        uploads.check(context, task)


def drop_pending(context: EventContext, wallet: str) -> None:
    """Drop a worker's pending reports at the end of its session; the worker resends unacknowledged ones."""
    for task_id in context.state.workers[wallet].held:
        context.state.tasks[task_id].pending_reports.pop(wallet, None)


# --- the queue ----------------------------------------------------------------------------------


def resume_if_settled(context: EventContext, task: Task, wallet: str) -> None:
    """Continue with a replicate's queue when the first status no longer needs a proof."""
    pending = context.live(task).pending_reports.get(wallet)
    if pending is not None and not _can_enter(task.replicates[wallet], pending.updates[0].status):
        _resume(context, task, wallet, pending)


def _can_enter(replicate: Replicate, status: ReplicateStatus) -> bool:
    """Return whether a status can still be recorded if it is proven."""
    return judge(replicate, status) is Verdict.LEGAL or is_provable(replicate, status)


def _confirm(context: EventContext, task: Task, replicate: Replicate, pending: PendingReports) -> None:
    """Accept the first update of a queue, which was proven, and continue with the next."""
    update = pending.updates[0]
    verdict = judge(replicate, update.status)
    acceptance.accept(context, task, replicate, pending.session_id, update, verdict)
    _pop(context, task, replicate.wallet, pending)


def _refuse_first(context: EventContext, task: Task, wallet: str, pending: PendingReports) -> None:
    """Refuse the first update of a queue and continue with the next."""
    answers.refuse(context, wallet, pending.session_id, pending.updates[0], answers.UNPROVEN)
    _pop(context, task, wallet, pending)


def _pop(context: EventContext, task: Task, wallet: str, pending: PendingReports) -> None:
    pending.updates.popleft()
    if pending.updates:
        _resume(context, task, wallet, pending)
    else:
        del context.live(task).pending_reports[wallet]


def _resume(context: EventContext, task: Task, wallet: str, pending: PendingReports) -> None:
    """Decide on the updates of a queue until one must wait for a proof."""
    live = context.live(task)
    del live.pending_reports[wallet]
    updates = pending.updates
    while updates:
        if not acceptance.decide(context, wallet, pending.session_id, updates[0]):
            _enqueue(context, live, wallet, pending.session_id, updates)
            return
        updates.popleft()
