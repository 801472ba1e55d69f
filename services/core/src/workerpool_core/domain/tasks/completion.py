"""The end of tasks: completion, failure, claim, and eviction from memory."""

from typing import Any

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.live import PendingFailure
from workerpool_core.domain.model import Action, Receipt, Task
from workerpool_core.domain.replicates.consensus_forecast import is_at_dead_end
from workerpool_core.domain.tasks import task_machine
from workerpool_core.domain.timers import Timeout
from workerpool_core.domain.workers import commands, quarantine

_TASK_TIMEOUTS = (
    Timeout.RETRY,
    Timeout.READ,
    Timeout.PROOF,
    Timeout.UPLOAD,
    Timeout.ERROR_RESULT,
    Timeout.FAILURE_PAUSE,
    Timeout.CONTRIBUTION_DEADLINE,
    Timeout.REVEAL_DEADLINE,
    Timeout.FINAL_DEADLINE,
)


# --- the end of a task --------------------------------------------------------------------------


def complete(context: EventContext, task: Task, receipt: Receipt | None, result_link: str = "") -> None:
    """Complete a task that the chain completed, from any status, and notify its workers."""
    if task.ended:
        return
    for replicate in task.replicates.values():
        if is_at_dead_end(replicate):
            continue
        if task.task_id in context.state.workers[replicate.wallet].computing:
            # The tables allow no COMPLETING before the result exists.
            cause = ReplicateStatusCause.CONSENSUS_REACHED
            commands.send(context, replicate.wallet, task.task_id, Action.ABORT, cause=cause)
        else:
            commands.send(context, replicate.wallet, task.task_id, Action.COMPLETE)
    fields = {"result_link": result_link} if result_link and not task.result_link else {}
    final_block = (receipt.block if receipt else 0) or context.state.head
    path = task_machine.path_to_completed(task.status)
    transitions.move_task(context, task, *path, receipt=receipt, final_block=final_block, **fields)
    quarantine.count_successes(context, task)
    if task.terms.trust > 1 or task.terms.worker_stake:
        # A single contributor keeps its score, but its stake is unlocked.
        context.read_contributor_weights(task)
    _set_timers_of_ended(context, task)


def fail(
    context: EventContext,
    task: Task,
    reason: TaskStatus,
    cause: ReplicateStatusCause = ReplicateStatusCause.UNKNOWN,
    **fields: Any,
) -> None:
    """Fail a task with `reason` as the status before FAILED; it is claimed after its final deadline.

    `cause` goes to the aborted workers, and `fields` to the task. The claim also initializes a task that was not, so
    that its requester is refunded. A free task is not claimed: a stranger could make the pool pay for thousands of
    claims that refund nothing.
    """
    if task.ended:
        return
    for replicate in task.replicates.values():
        if not is_at_dead_end(replicate):
            commands.send(context, replicate.wallet, task.task_id, Action.ABORT, cause=cause)
    transitions.move_task(context, task, reason, TaskStatus.FAILED, claim_due=not task.terms.free, **fields)
    _set_timers_of_ended(context, task)


def free_slots(context: EventContext, task: Task) -> None:
    """Abort the replicates that still occupy a slot after the contribution deadline.

    Later results cannot be contributed. A read of the chain decides whether the task fails.
    """
    for wallet, replicate in task.replicates.items():
        if task.task_id in context.state.workers[wallet].computing and not is_at_dead_end(replicate):
            cause = ReplicateStatusCause.CONTRIBUTION_TIMEOUT
            commands.send(context, wallet, task.task_id, Action.ABORT, cause=cause)


def fail_after_read(context: EventContext, task: Task, reason: TaskStatus) -> None:
    """Fail a task once a read shows that it is still open on chain and has no unknown contribution."""
    live = context.live(task)
    if live.pending_failure is None and task.initialization_block:
        live.pending_failure = PendingFailure(reason, context.now)
        context.read_task(task)


def _set_timers_of_ended(context: EventContext, task: Task) -> None:
    """Cancel the timers of a task that ended, and set those that it still needs."""
    timers, live = context.state.timers, context.live(task)
    for wallet in task.replicates if task.terms.worker_stake else ():
        # A newcomer may have reached its limit with this task.
        transitions.match_worker(context, wallet)
    for timeout in _TASK_TIMEOUTS:
        timers.cancel(timeout, task.task_id)
    for wallet in task.replicates:
        timers.cancel(Timeout.ASSIGNMENT, task.task_id, wallet)
        timers.cancel(Timeout.CONTRIBUTION, task.task_id, wallet)
        timers.cancel(Timeout.EXECUTION, task.task_id, wallet)
    if live.pending_reports:
        # Refuse the pending reports now: nothing will prove them.
        timers.set(Timeout.PROOF, task.task_id, context.now)
    if task.claim_due:
        timers.set(Timeout.FINAL_DEADLINE, task.task_id, max(task.terms.final_deadline, context.now))
    else:
        retain(context, task)


# --- the chain closes the task ------------------------------------------------------------------


def closed(context: EventContext, task: Task, block: int) -> None:
    """Record that the chain closed an ended task in a block (0 when the block is unknown)."""
    was_due = task.claim_due
    transitions.update_task(context, task, final_block=block or context.state.head, claim_due=False)
    if was_due:
        context.read_contributor_weights(task)
        context.state.timers.cancel(Timeout.RETRY, task.task_id)
        retain(context, task)


def closing_removed(context: EventContext, task: Task) -> None:
    """Record that a reorganisation removed the transaction that had closed an ended task on chain."""
    claim_due = task.status is TaskStatus.FAILED and not task.terms.free
    transitions.update_task(context, task, final_block=0, claim_due=claim_due)


def claim(context: EventContext, task: Task) -> None:
    """Request the claim of a failed task, once the chain has passed its final deadline."""
    if not task.claim_due:
        return
    timers, deadline = context.state.timers, task.terms.final_deadline
    if context.chain_time(context.now) < deadline:
        wake_at = max(deadline, context.now + context.state.policy.retry_s)
        timers.set(Timeout.FINAL_DEADLINE, task.task_id, wake_at)
        return
    context.request_transaction(TransactionKind.CLAIM, task)
    timers.set(Timeout.RETRY, task.task_id, context.now + context.state.policy.read_timeout_s)


# --- eviction -----------------------------------------------------------------------------------


def retain(context: EventContext, task: Task) -> None:
    """Keep an ended task in memory for late reports of its workers; evict it now when none is expected."""
    delay = 0.0
    if _has_unfinished_replicates(context, task) or not is_settled(context, task):
        delay = context.state.policy.ended_retention_s
    context.state.timers.set(Timeout.EVICTION, task.task_id, context.now + delay)


def evict_early(context: EventContext, task: Task) -> None:
    """Evict an ended task as soon as all its replicates have ended."""
    if not task.claim_due and not _has_unfinished_replicates(context, task):
        context.state.timers.set(Timeout.EVICTION, task.task_id, context.now)


def _has_unfinished_replicates(context: EventContext, task: Task) -> bool:
    workers = context.state.workers
    return any(task.task_id in workers[wallet].held for wallet in task.replicates)


def is_settled(context: EventContext, task: Task) -> bool:
    """Return whether an ended task is closed on chain beyond the reach of a reorganisation."""
    if task.finalize_due or task.claim_due:
        return False
    depth = context.state.head - task.final_block
    return not task.final_block or depth >= context.state.policy.reorganisation_blocks


def evict(context: EventContext, task_id: TaskId) -> None:
    """Evict an ended task from memory."""
    state = context.state
    task = state.task(task_id)
    if task is None or not task.ended or task.claim_due:
        return
    if not is_settled(context, task):
        retain(context, task)
        return
    state.evict(task)
    for replicate in task.replicates.values():
        context.workers_to_match[replicate.wallet] = None
        if replicate.status is not ReplicateStatus.COMPLETED:
            commands.withdraw(context, state.workers[replicate.wallet], task_id)
