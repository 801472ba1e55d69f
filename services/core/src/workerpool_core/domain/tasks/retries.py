"""Asks again for whatever a task's status waits for; asking twice is harmless."""

from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus

from workerpool_core.domain.chain.chain_evidence import reopened
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.events import TransactionAnswered, TransactionKind
from workerpool_core.domain.model import Receipt, Task
from workerpool_core.domain.tasks import completion, initialization
from workerpool_core.domain.timers import Alarm

_T = TaskStatus


def pursue(turn: Turn, task: Task) -> None:
    """Ask for the transaction or the enclave challenge that the task waits for, if it does."""
    match task.status:
        case TaskStatus.INITIALIZING if task.initialization_block:
            initialization.ask_challenge(turn, task)
        case TaskStatus.RECEIVED | TaskStatus.INITIALIZING:
            initialization.initialize(turn, task)
        case TaskStatus.REOPENING:
            turn.request(TransactionKind.REOPEN, task)
        case TaskStatus.FINALIZING:
            turn.request(TransactionKind.FINALIZE, task)
        case TaskStatus.COMPLETED if task.finalize_due:
            _finalize_again(turn, task)
        case TaskStatus.COMPLETED | TaskStatus.FAILED:
            completion.claim(turn, task)
        case status if status not in FINAL_TASK_STATUSES and not task.initialization_block:
            turn.request(TransactionKind.INITIALIZE, task)


def _finalize_again(turn: Turn, task: Task) -> None:
    """The finalization vanished in a reorganisation: ask for it until it stands again.

    If reveals vanished with it, and their workers have left, it never will: then the requester is refunded.
    """
    if turn.now < task.terms.final_deadline:
        turn.request(TransactionKind.FINALIZE, task)
        turn.state.timers.set(Alarm.RETRY, task.task_id, turn.now + turn.state.policy.read_timeout_s)
    else:
        turn.set_task(task, claim_due=True)
        completion.claim(turn, task)


def retry_later(turn: Turn, task: Task) -> None:
    """Ask again after a pause."""
    turn.state.timers.set(Alarm.RETRY, task.task_id, turn.now + turn.state.policy.retry_s)


def answered(turn: Turn, event: TransactionAnswered) -> None:
    """Take the adapter's answer. A refusal ends nothing before the chain was asked what is true.

    Nor does a success soon after a reorganisation: it may be about a block that is gone.
    """
    task = turn.state.tasks.get(event.task_id)
    if task is None:
        return
    if event.succeeded is None:
        if _awaits(task, event.kind):
            retry_later(turn, task)
    elif event.succeeded is False:
        if _awaits(task, event.kind):
            turn.state.refused[task.task_id, event.kind] = turn.now
            turn.read(task)
    elif turn.in_doubt or task.finalize_due or not event.block:
        turn.read(task)
    else:
        _succeeded(turn, task, event)


def _succeeded(turn: Turn, task: Task, event: TransactionAnswered) -> None:
    turn.heard_of(task, event.block, event.kind)
    if task.ended:
        if event.kind in (TransactionKind.FINALIZE, TransactionKind.CLAIM):
            completion.closed(turn, task, event.block)
    elif event.kind is TransactionKind.INITIALIZE:
        if not task.initialization_block:
            initialization.initialized(turn, task, Receipt(event.block))
    elif event.kind is TransactionKind.FINALIZE:
        completion.complete(turn, task, Receipt(event.block))
    else:
        reopened(turn, task, Receipt(event.block))


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
