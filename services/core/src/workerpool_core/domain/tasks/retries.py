"""Retries of the transaction or answer that a task waits for, and the handling of answers; repeating is harmless."""

from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus

from workerpool_core.domain import transitions
from workerpool_core.domain.chain.chain_evidence import reopened
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TransactionAnswered, TransactionKind
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.model import Receipt, Task
from workerpool_core.domain.tasks import completion, enclaves, initialization
from workerpool_core.domain.timers import Timeout

_T = TaskStatus
_NO_TASK = frozenset({"DEAL_NOT_FOUND", "TASK_INDEX_OUTSIDE_DEAL"})
"""The adapter's reasons for a task without a deal on chain: a reorganisation removed the deal."""
_UNREACHABLE = "the chain adapter, which sends the pool's transactions, does not answer{}"


def retry(context: EventContext, task: Task) -> None:
    """Request the transaction or the enclave challenge that the task waits for, if any."""
    match task.status:
        case TaskStatus.INITIALIZING if task.initialization_block:
            enclaves.request_challenge(context, task)
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

    It cannot succeed if the reveals were removed too and their workers are gone; then the requester is refunded.
    """
    if context.now < task.terms.final_deadline:
        context.request_transaction(TransactionKind.FINALIZE, task)
        retry_at = context.now + context.state.policy.read_timeout_s
        context.state.timers.set(Timeout.RETRY, task.task_id, retry_at)
    else:
        transitions.update_task(context, task, claim_due=not task.terms.free)
        completion.claim(context, task)


def retry_later(context: EventContext, task: Task) -> None:
    """Retry after the policy's delay."""
    context.state.timers.set(Timeout.RETRY, task.task_id, context.now + context.state.policy.retry_s)


def answered(context: EventContext, event: TransactionAnswered) -> None:
    """Handle the chain adapter's answer.

    A read of the chain verifies each refusal, and each success soon after a reorganisation, whose block may have been
    removed.
    """
    task = context.state.task(event.task_id)
    if task is None:
        return
    if event.succeeded is None:
        if _awaits(task, event.kind):
            retry_later(context, task)
            context.note_service_problem(task, _unreachable(event.reason))
    elif event.succeeded is False:
        nothing_to_claim = event.kind is TransactionKind.CLAIM and event.reason in _NO_TASK
        if nothing_to_claim and task.claim_due and not context.recently_reorganised:
            completion.closed(context, task, 0)
        elif _awaits(task, event.kind):
            live = context.live(task)
            live.refused_at[event.kind], live.refusal = context.now, event.reason
            context.read_task(task)
    elif context.recently_reorganised or task.finalize_due or not event.block:
        context.read_task(task)
        if _awaits(task, event.kind):
            # If the read shows that the transaction was removed, no other event requests it again.
            retry_later(context, task)
    else:
        _succeeded(context, task, event)


def _unreachable(problem: str) -> Explanation:
    message = _UNREACHABLE.format(f" ({problem})" if problem else "")
    return reason(
        ReasonCode.ADAPTER_DOWN,
        message,
        next_step="Core retries every few seconds.",
        evidence={"problem": problem},
    )


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
