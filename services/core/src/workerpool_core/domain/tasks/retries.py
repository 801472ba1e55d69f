"""Retries of the transaction or answer that a task waits for, and the answers; a repetition is harmless."""

from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.chain.chain_evidence import reopened
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TransactionAnswered, TransactionKind
from workerpool_core.domain.model import Receipt, Task
from workerpool_core.domain.tasks import completion, initialization
from workerpool_core.domain.timers import Timeout

_T = TaskStatus


def retry(context: EventContext, task: Task) -> None:
    """Request the transaction or the enclave challenge that the task waits for, if any."""
    match task.status:
        case TaskStatus.INITIALIZING if task.initialization_block:
            initialization.ask_challenge(context, task)
        case TaskStatus.RECEIVED | TaskStatus.INITIALIZING:
            initialization.initialize(context, task)
        case TaskStatus.REOPENING:
            context.request_transaction(TransactionKind.REOPEN, task)
        case TaskStatus.FINALIZING:
            context.request_transaction(TransactionKind.FINALIZE, task)
        case TaskStatus.COMPLETED if task.finalize_due:
            _finalize_again(context, task)
        case TaskStatus.COMPLETED | TaskStatus.FAILED:
            completion.claim(context, task)
        case status if status not in FINAL_TASK_STATUSES and not task.initialization_block:
            context.request_transaction(TransactionKind.INITIALIZE, task)


def _finalize_again(context: EventContext, task: Task) -> None:
    """Request a finalization that a reorganisation removed, until it is mined or the final deadline passes.

    It cannot succeed if the reveals were removed too and their workers have left. The requester is refunded then.
    """
    if context.now < task.terms.final_deadline:
        context.request_transaction(TransactionKind.FINALIZE, task)
        retry_at = context.now + context.state.policy.read_timeout_s
        context.state.timers.set(Timeout.RETRY, task.task_id, retry_at)
    else:
        transitions.update_task(context, task, claim_due=True)
        completion.claim(context, task)


def retry_later(context: EventContext, task: Task) -> None:
    """Retry after the policy's delay."""
    context.state.timers.set(Timeout.RETRY, task.task_id, context.now + context.state.policy.retry_s)


def answered(context: EventContext, event: TransactionAnswered) -> None:
    """Handle the chain adapter's answer.

    A refusal is verified by a read of the chain. So is a success soon after a reorganisation, because it may concern
    a block that was removed.
    """
    task = context.state.task(event.task_id)
    if task is None:
        return
    if event.succeeded is None:
        if _awaits(task, event.kind):
            retry_later(context, task)
    elif event.succeeded is False:
        if _awaits(task, event.kind):
            context.live(task).refused_at[event.kind] = context.now
            context.read_task(task)
    elif context.recently_reorganised or task.finalize_due or not event.block:
        context.read_task(task)
    else:
        _succeeded(context, task, event)


def _succeeded(context: EventContext, task: Task, event: TransactionAnswered) -> None:
    context.note_unfollowed(task, event.block, event.kind)
    if task.ended:
        if event.kind in (TransactionKind.FINALIZE, TransactionKind.CLAIM):
            completion.closed(context, task, event.block)
    elif event.kind is TransactionKind.INITIALIZE:
        if not task.initialization_block:
            initialization.initialized(context, task, Receipt(event.block))
    elif event.kind is TransactionKind.FINALIZE:
        completion.complete(context, task, Receipt(event.block))
    else:
        reopened(context, task, Receipt(event.block))


def _awaits(task: Task, kind: TransactionKind) -> bool:
    match kind:
        case TransactionKind.INITIALIZE:
            return not task.ended and not task.initialization_block
        case TransactionKind.FINALIZE:
            return task.status is _T.FINALIZING
        case TransactionKind.REOPEN:
            return task.status is _T.REOPENING
        case TransactionKind.CLAIM:
            return task.claim_due
