"""Tasks and replicates as protocol messages."""

from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_protocol.core.v1 import task_pb2 as pb

from workerpool_core.api.protocol_enums import CAUSE, MODIFIER, REPLICATE_STATUS, TASK_STATUS
from workerpool_core.domain.model import Receipt, Replicate, ReplicateChange, Task, TaskChange

LAST_DATE = 253_402_300_799.0
"""The end of the year 9999 in Unix seconds, the last date of protobuf timestamps and of Python."""


def timestamp(seconds: float) -> Timestamp:
    """Return a date in Unix seconds as a message. A date after the year 9999 becomes the end of that year."""
    nanos = int(min(max(seconds, 0.0), LAST_DATE) * 1e9)
    return Timestamp(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)


def task_message(task: Task, *, with_replicates: bool = True) -> pb.Task:
    """Return a task as a message."""
    message = pb.Task(
        task_id=task.task_id,
        deal_id=task.terms.deal_id,
        task_index=task.index,
        status=TASK_STATUS[task.status],
        history=[_task_change(change) for change in task.history],
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
    )
    if task.reveal_deadline:
        message.reveal_deadline.CopyFrom(timestamp(task.reveal_deadline))
    if with_replicates:
        message.replicates.extend(replicate_message(item) for item in task.replicates.values())
    return message


def replicate_message(replicate: Replicate) -> pb.Replicate:
    """Return a replicate as a message."""
    message = pb.Replicate(
        task_id=replicate.task_id,
        wallet_address=replicate.wallet,
        status=REPLICATE_STATUS[replicate.status],
        last_relevant_status=REPLICATE_STATUS[replicate.last_relevant],
        history=[_replicate_change(change) for change in replicate.history],
        result_link=replicate.result_link,
        callback_data=replicate.callback_data,
        contribution_hash=replicate.contribution_hash,
        logs_present=replicate.logs_present,
        worker_weight=replicate.weight,
    )
    if replicate.exit_code is not None:
        message.exit_code = replicate.exit_code
    return message


def _task_change(change: TaskChange) -> pb.TaskStatusChange:
    return pb.TaskStatusChange(
        status=TASK_STATUS[change.status],
        date=timestamp(change.date),
        chain_receipt=_receipt(change.receipt),
    )


def _replicate_change(change: ReplicateChange) -> pb.ReplicateStatusChange:
    return pb.ReplicateStatusChange(
        status=REPLICATE_STATUS[change.status],
        date=timestamp(change.date),
        modifier=MODIFIER[change.modifier],
        cause=CAUSE[change.cause],
        chain_receipt=_receipt(change.receipt),
    )


def _receipt(receipt: Receipt | None) -> pb.ChainReceipt | None:
    if receipt is None:
        return None
    return pb.ChainReceipt(block_number=receipt.block, transaction_hash=receipt.transaction)
