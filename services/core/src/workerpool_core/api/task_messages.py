"""Tasks and replicates as protocol messages."""

from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_protocol.core.v1 import task_pb2 as pb

from workerpool_core.api.protocol_enums import CAUSE, FAULT, MODIFIER, REPLICATE_STATUS, TASK_STATUS
from workerpool_core.api.reason_messages import reason_message
from workerpool_core.api.times import timestamp
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.replicates import explain_replicate
from workerpool_core.domain.explanations.tasks import explain_task
from workerpool_core.domain.model import Receipt, Replicate, ReplicateChange, Task, TaskChange


def task_message(
    task: Task,
    *,
    with_replicates: bool = True,
    waiting: Explanation | None = None,
    reason: Explanation | None = None,
) -> pb.Task:
    """Return a task as a message; `waiting` is why it makes no progress now, `reason` why it waits or failed.

    Only a message with replicates explains its history, because the explanations follow from the replicates.
    """
    explained = explain_task(task, waiting) if with_replicates else [None] * len(task.history)
    message = pb.Task(
        task_id=task.task_id,
        deal_id=task.terms.deal_id,
        task_index=task.index,
        status=TASK_STATUS[task.status],
        history=list(map(_task_change, task.history, explained)),
        trust=task.terms.trust,
        tag=task.terms.tag,
        app_uri=task.terms.app_uri,
        command_line=task.terms.command_line,
        max_execution_seconds=task.terms.max_execution_s,
        requester=task.terms.requester,
        contribution_deadline=timestamp(task.terms.contribution_deadline),
        final_deadline=timestamp(task.terms.final_deadline),
        initialization_block=task.initialization_block,
        consensus_block=task.consensus_block,
        consensus=task.consensus,
        enclave_challenge=task.enclave_challenge or ZERO_ADDRESS,
        uploader=task.uploader,
        result_link=task.result_link,
        callback_data=task.callback_data,
        deal_block=task.terms.block,
        error_cause=CAUSE[task.error_cause],
        error_message=task.error_message,
        waiting_reason=waiting.sentences if waiting is not None else "",
        reason=reason_message(reason),
    )
    if task.reveal_deadline:
        message.reveal_deadline.CopyFrom(timestamp(task.reveal_deadline))
    if with_replicates:
        message.replicates.extend(replicate_message(task, item) for item in task.replicates.values())
    return message


def replicate_message(task: Task, replicate: Replicate) -> pb.Replicate:
    """Return a replicate of a task as a message."""
    message = pb.Replicate(
        task_id=replicate.task_id,
        wallet_address=replicate.wallet,
        status=REPLICATE_STATUS[replicate.status],
        last_relevant_status=REPLICATE_STATUS[replicate.last_relevant],
        history=list(map(_replicate_change, replicate.history, explain_replicate(task, replicate))),
        result_link=replicate.result_link,
        callback_data=replicate.callback_data,
        contribution_hash=replicate.contribution_hash,
        logs_present=replicate.logs_present,
        worker_weight=replicate.weight,
    )
    if replicate.exit_code is not None:
        message.exit_code = replicate.exit_code
    return message


def _task_change(change: TaskChange, explained: Explanation | None) -> pb.TaskStatusChange:
    message = pb.TaskStatusChange(
        status=TASK_STATUS[change.status],
        date=timestamp(change.date),
        chain_receipt=_receipt(change.receipt),
    )
    if explained is not None:
        message.cause = CAUSE[explained.cause]
    _explain(message, explained)
    return message


def _explain(message: pb.TaskStatusChange | pb.ReplicateStatusChange, explained: Explanation | None) -> None:
    if explained is None:
        return
    message.message, message.next_step = explained.message, explained.next_step
    message.fault = FAULT[explained.side]
    if explained.exit_code is not None:
        message.exit_code = explained.exit_code


def _replicate_change(change: ReplicateChange, explained: Explanation | None) -> pb.ReplicateStatusChange:
    message = pb.ReplicateStatusChange(
        status=REPLICATE_STATUS[change.status],
        date=timestamp(change.date),
        modifier=MODIFIER[change.modifier],
        cause=CAUSE[change.cause],
        chain_receipt=_receipt(change.receipt),
    )
    _explain(message, explained)
    return message


def _receipt(receipt: Receipt | None) -> pb.ChainReceipt | None:
    if receipt is None:
        return None
    return pb.ChainReceipt(block_number=receipt.block, transaction_hash=receipt.transaction)
