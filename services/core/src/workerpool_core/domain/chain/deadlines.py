"""Decisions that only a read of the chain can make: missed deadlines, missing consensus, pending failures.

A deadline is missed only once the chain has passed it: a followed block has a later time, or the clock has passed it by
a margin, because a chain may make no block for minutes. A read requested after that shows everything done in time.
"""

from typing import Any

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import (
    WAITING_CONTRIBUTION_TASK_STATUSES,
    WAITING_REVEAL_TASK_STATUSES,
    ChainTaskStatus,
    ReplicateStatus,
    TaskStatus,
)

from workerpool_core.domain import transitions
from workerpool_core.domain.chain import chain_evidence
from workerpool_core.domain.dispatch.waiting_reason import obstacle
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TaskRead, TransactionKind
from workerpool_core.domain.model import Task
from workerpool_core.domain.replicates.consensus_forecast import (
    contributors,
    pending_contributions,
    wants_more,
)
from workerpool_core.domain.tasks import completion, progress, task_machine
from workerpool_core.domain.timers import Timeout

_R = ReplicateStatus
_T = TaskStatus
_REVEAL_PHASE = WAITING_REVEAL_TASK_STATUSES | {_T.FINALIZING}


def judge(context: EventContext, task: Task, chain: ChainTask | None, requested_at: float) -> None:
    """Fail or reopen a task that missed a deadline; read the chain again until it has passed the deadline.

    `requested_at` is when the read that returned `chain` was requested.
    """
    terms, now = task.terms, context.now
    passed = [
        deadline
        for deadline, statuses in (
            (terms.final_deadline, frozenset(TaskStatus)),
            (terms.contribution_deadline, WAITING_CONTRIBUTION_TASK_STATUSES),
            (task.reveal_deadline or terms.final_deadline, _REVEAL_PHASE),
        )
        if task.status in statuses and now >= deadline
    ]
    if any(context.chain_time(requested_at) < deadline for deadline in passed):
        context.state.timers.set(Timeout.READ, task.task_id, now + context.state.policy.retry_s)
        return
    if not passed:
        return
    if now >= terms.final_deadline:
        completion.fail(context, task, _T.FINAL_DEADLINE_REACHED)
    elif task.status in WAITING_CONTRIBUTION_TASK_STATUSES:
        if chain is None or chain.status is ChainTaskStatus.ACTIVE:
            cause = ReplicateStatusCause.CONTRIBUTION_TIMEOUT
            completion.fail(context, task, _T.CONTRIBUTION_TIMEOUT, cause, **_unassigned_error(context, task))
    elif chain is not None and chain.status is ChainTaskStatus.REVEALING:
        _end_reveal_phase(context, task, chain)


def _unassigned_error(context: EventContext, task: Task) -> dict[str, Any]:
    """Return why no worker took a task, as fields of the task; it follows from the workers connected now."""
    if task.replicates or task.error_cause is not None:
        return {}
    found = obstacle(context.state, task, context.now)
    message = f"no worker took the task until the contribution deadline: {found.message}"
    return {"error_cause": ReplicateStatusCause.CONTRIBUTION_TIMEOUT, "error_message": message}


def _end_reveal_phase(context: EventContext, task: Task, chain: ChainTask) -> None:
    for replicate in task.replicates.values():
        if not replicate.has_reached(_R.REVEALED):
            chain_evidence.reveal_timed_out(context, replicate)
    in_time = context.now < task.terms.contribution_deadline
    if chain.reveal_counter == 0 and task.status is _T.CONSENSUS_REACHED and in_time:
        transitions.move_task(context, task, _T.REOPENING)
        context.request_transaction(TransactionKind.REOPEN, task)


def compare_forecast(context: EventContext, task: Task, chain: ChainTask, event: TaskRead) -> None:
    """Record that the chain has no consensus although the forecast predicts one.

    The chain takes a worker's weight at its contribution, the forecast at the assignment.
    """
    live, workers = context.live(task), context.state.workers
    contributed = contributors(task)
    lacks_consensus = (
        task.status in WAITING_CONTRIBUTION_TASK_STATUSES
        and chain.status is ChainTaskStatus.ACTIVE
        # The read shows only the contributions of the wallets that it was requested for.
        and contributed != []
        and all(replicate.wallet in event.contributions for replicate in contributed)
        and not pending_contributions(task, workers, context.now)
        and not wants_more(task, workers, context.now)
    )
    if lacks_consensus:
        live.lacks_consensus = True
        context.tasks_to_match[task.task_id] = None
    elif task.status not in WAITING_CONTRIBUTION_TASK_STATUSES:
        live.lacks_consensus = False


def judge_pending_failure(
    context: EventContext, task: Task, chain: ChainTask | None, requested_at: float
) -> None:
    """Fail a task with a pending failure, unless the chain has a contribution or a consensus that was not known."""
    live = context.live(task)
    failure = live.pending_failure
    if failure is None:
        return
    if task_machine.may_follow(task.status, failure.reason):
        if requested_at < failure.since:
            context.read_task(task)
            return
        if chain is not None and chain.status is ChainTaskStatus.REVEALING:
            # Not all winners are known yet; `chain_evidence.consensus` reads the chain again.
            return
        unrecoverable = (
            failure.reason is not _T.RUNNING_FAILED
            or task.error_cause is not None
            or progress.no_worker_can_run(context, task)
        )
        if chain is not None and unrecoverable:
            completion.fail(context, task, failure.reason)
    live.pending_failure = None
