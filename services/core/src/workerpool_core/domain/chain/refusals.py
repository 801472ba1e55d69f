"""Transactions that the chain adapter refused, compared with a later read of the chain.

A refusal that the chain explains is retried or ends the task. One that the chain does not explain may be a matter of
timing, so only the second is final. One that describes an earlier state than the read comes from a node that lags, and
is never final: without new blocks such a node never catches up.
"""

from typing import Any

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus, TaskStatus

from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.events import TransactionKind
from workerpool_core.domain.model import Task
from workerpool_core.domain.tasks import completion
from workerpool_core.domain.tasks.retries import retry_later

_T = TaskStatus
_K = TransactionKind
_BEHIND = {
    _K.INITIALIZE: frozenset({"DEAL_NOT_FOUND"}),
    _K.FINALIZE: frozenset({"TASK_NOT_FOUND", "TASK_NOT_REVEALING", "REVEALS_MISSING"}),
    _K.REOPEN: frozenset({"TASK_NOT_FOUND", "TASK_NOT_REVEALING", "REVEAL_DEADLINE_NOT_REACHED"}),
}
"""The adapter's reasons that a later state of the chain refutes."""


def take(context: EventContext, task: Task, kind: TransactionKind, requested_at: float) -> bool:
    """Consume a refusal that precedes a read requested at `requested_at`; return whether there was one."""
    refused_at = context.live(task).refused_at
    at = refused_at.get(kind)
    if at is None or requested_at < at:
        return False
    del refused_at[kind]
    return True


def is_final(context: EventContext, task: Task, kind: TransactionKind) -> bool:
    """Record a refusal that the chain does not explain; return whether it is the second.

    Refusals soon after a reorganisation do not count: the node may have checked the removed branch. Those of a lagging
    node do not count either. A second refusal counts only after the transaction was requested again.
    """
    if context.recently_reorganised or context.live(task).refusal in _BEHIND[kind]:
        return False
    first = context.live(task).unexplained_refusal_at.setdefault(kind, context.now)
    return context.now >= first + context.state.policy.retry_s


def error_fields(context: EventContext, task: Task, what: str) -> dict[str, Any]:
    """Return why a transaction was refused for good, as fields of the task."""
    reason = context.live(task).refusal
    message = f"the {what} of the task was refused" + (f": {reason}" if reason else "")
    return {"error_cause": ReplicateStatusCause.UNKNOWN, "error_message": message}


def judge(context: EventContext, task: Task, chain: ChainTask, requested_at: float) -> None:
    """Fail a task whose finalize or reopen was refused for good; otherwise retry the transaction.

    A transaction that the chain would accept now may have been too early when it was refused.
    """
    revealing = chain.status is ChainTaskStatus.REVEALING
    late = context.chain_time(requested_at) >= chain.reveal_deadline
    if take(context, task, TransactionKind.FINALIZE, requested_at) and task.status is _T.FINALIZING:
        all_revealed = chain.reveal_counter == chain.winner_counter
        acceptable = revealing and chain.reveal_counter > 0 and (all_revealed or late)
        if acceptable and is_final(context, task, TransactionKind.FINALIZE):
            completion.fail(context, task, _T.FINALIZE_FAILED, **error_fields(context, task, "finalization"))
        else:
            retry_later(context, task)
    if take(context, task, TransactionKind.REOPEN, requested_at) and task.status is _T.REOPENING:
        if late and is_final(context, task, TransactionKind.REOPEN):
            completion.fail(context, task, _T.REOPEN_FAILED, **error_fields(context, task, "reopening"))
        else:
            retry_later(context, task)
