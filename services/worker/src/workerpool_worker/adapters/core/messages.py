"""Mapping between the messages of the worker stream and the worker's domain types."""

from google.protobuf.message import DecodeError
from workerpool_kit.grpc.times import seconds_of, unix_time_of
from workerpool_kit.reasons import UNKNOWN_REPLICATE
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.ids import (
    ZERO_ADDRESS,
    Address,
    DealId,
    TaskId,
    address,
    from_hex,
    parse_deal_id,
    parse_task_id,
    to_hex,
)
from workerpool_poco.protocol.model import Block
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_protocol.core.v1 import statuses_pb2, task_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.poco.v1 import authorization_pb2

from workerpool_worker.app.live_output import OutputChunk
from workerpool_worker.app.supervisor import UpdateResult
from workerpool_worker.domain.assignment import Assignment, Task
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.domain.record import Command
from workerpool_worker.domain.stages import Action
from workerpool_worker.domain.updates import Update

_ACTIONS = {
    pb.ACTION_CONTRIBUTE: Action.CONTRIBUTE,
    pb.ACTION_REVEAL: Action.REVEAL,
    pb.ACTION_UPLOAD: Action.UPLOAD,
    pb.ACTION_COMPLETE: Action.COMPLETE,
    pb.ACTION_ABORT: Action.ABORT,
}
_DEFAULT_HEARTBEAT_S, _MIN_HEARTBEAT_S = 10.0, 0.05
_STREAMS = {OutputStream.STDOUT: pb.LOG_STREAM_STDOUT, OutputStream.STDERR: pb.LOG_STREAM_STDERR}


def head_of(message: pb.Head) -> Block:
    """Return the head of a message. Raises ValueError (such as `InvalidId`) for an invalid hash."""
    return Block(message.number, from_hex(message.hash), from_hex(message.parent_hash), message.timestamp)


def heartbeat_period_of(message: pb.Welcome) -> float:
    """Return the seconds between two heartbeats: at least 0.05, and 10 if unset. Raises InvalidTime."""
    period_s = seconds_of("heartbeat_period", message.heartbeat_period)
    return max(period_s, _MIN_HEARTBEAT_S) if period_s else _DEFAULT_HEARTBEAT_S


def assignment_of(message: pb.Assignment) -> Assignment:
    """Return the assignment of a message. Raises ValueError (such as `InvalidId`) for an invalid field."""
    task = message.task
    return Assignment(
        authorization=authorization_of(message.authorization),
        task=Task(
            task_id=parse_task_id(task.task_id),
            deal_id=DealId(task.deal_id),
            task_index=task.task_index,
            bot_first=task.bot_first,
            bot_size=task.bot_size,
            app_uri=task.app_uri,
            app_address=_address(task.app_address),
            command_line=task.command_line,
            input_files=tuple(task.input_files),
            dataset_address=_address(task.dataset_address),
            dataset_uri=task.dataset_uri,
            dataset_checksum=task.dataset_checksum,
            max_execution_s=seconds_of("max_execution_time", task.max_execution_time),
            trust=task.trust,
            tag=task.tag or to_hex(bytes(32)),
            contribution_deadline=unix_time_of("contribution_deadline", task.contribution_deadline),
            final_deadline=unix_time_of("final_deadline", task.final_deadline),
            callback=_address(task.callback),
            requester=_address(task.requester),
            beneficiary=_address(task.beneficiary),
            worker_stake=task.worker_stake,
            result_storage_provider=task.result_storage_provider,
            result_storage_proxy=task.result_storage_proxy,
            result_encryption=task.result_encryption,
        ),
        initialization_block=message.initialization_block,
        wire=message.SerializeToString(),
    )


def is_task_id(text: str) -> bool:
    """Return whether a text is a valid task id."""
    try:
        parse_task_id(text)
    except ValueError:
        return False
    return True


def parse_assignment(wire: bytes) -> Assignment:
    """Return a journaled assignment. Raises ValueError if it is damaged."""
    try:
        return assignment_of(pb.Assignment.FromString(wire))
    except DecodeError as damage:
        raise ValueError("the journaled assignment is damaged") from damage


def authorization_of(message: authorization_pb2.WorkerpoolAuthorization) -> WorkerpoolAuthorization:
    """Return the authorization of a message. Raises ValueError."""
    return WorkerpoolAuthorization(
        worker=address(message.worker_wallet),
        task_id=parse_task_id(message.task_id),
        enclave_challenge=address(message.enclave_challenge),
        deal_id=parse_deal_id(message.deal_id),
        task_index=message.task_index,
        signature=from_hex(message.signature),
    )


def authorization_message(
    authorization: WorkerpoolAuthorization,
) -> authorization_pb2.WorkerpoolAuthorization:
    """Return the message of an authorization."""
    return authorization_pb2.WorkerpoolAuthorization(
        task_id=authorization.task_id,
        deal_id=authorization.deal_id,
        task_index=authorization.task_index,
        worker_wallet=authorization.worker,
        enclave_challenge=authorization.enclave_challenge,
        signature=to_hex(authorization.signature),
    )


def command_of(message: pb.Command) -> Command:
    """Return the command of a message. An action without effect on a standard worker becomes CONTINUE."""
    return Command(
        sequence=message.sequence,
        task_id=TaskId(message.task_id.lower()),
        action=_ACTIONS.get(message.action, Action.CONTINUE),
        block_number=message.block_number,
        cause=cause_of(message.cause),
    )


def update_result_of(message: pb.UpdateResult) -> UpdateResult:
    """Return the result of an update. A refusal without a next action asks the worker to abort the replicate."""
    refused = message.outcome == pb.UPDATE_OUTCOME_REFUSED
    return UpdateResult(
        sequence=message.sequence,
        refused=refused,
        abort=message.next_action == pb.ACTION_ABORT
        or (refused and message.next_action == pb.ACTION_UNSPECIFIED),
        unknown=refused and message.reason == UNKNOWN_REPLICATE,
        reason=message.reason,
        message=message.message,
    )


def cause_of(number: int) -> ReplicateStatusCause | None:
    """Return the cause of an enum number; None if it is unset or newer than this worker."""
    name = statuses_pb2.ReplicateStatusCause.DESCRIPTOR.values_by_number.get(number)
    text = name.name.removeprefix("REPLICATE_STATUS_CAUSE_") if name and number else ""
    return ReplicateStatusCause(text) if text in ReplicateStatusCause.__members__ else None


def status_number(status: ReplicateStatus) -> statuses_pb2.ReplicateStatus.ValueType:
    """Return the enum number of a status."""
    return statuses_pb2.ReplicateStatus.Value(f"REPLICATE_STATUS_{status.value}")


def update_message(update: Update) -> pb.StatusUpdate:
    """Return the message of a status update."""
    details = update.details
    message = pb.StatusDetails(
        result_link=_encodable(details.result_link),
        callback_data=details.callback_data,
        stdout=_encodable(details.stdout),
        stderr=_encodable(details.stderr),
        error_message=_encodable(details.error_message),
    )
    if details.cause is not None:
        message.cause = statuses_pb2.ReplicateStatusCause.Value(
            f"REPLICATE_STATUS_CAUSE_{details.cause.value}"
        )
    if details.receipt is not None:
        message.chain_receipt.CopyFrom(
            task_pb2.ChainReceipt(
                block_number=details.receipt.block_number, transaction_hash=details.receipt.transaction_hash
            )
        )
    if details.exit_code is not None:
        message.exit_code = details.exit_code
    return pb.StatusUpdate(
        sequence=update.sequence, task_id=update.task_id, status=status_number(update.status), details=message
    )


def log_chunk_message(chunk: OutputChunk) -> pb.LogChunk:
    """Return the message of a piece of an app's output."""
    return pb.LogChunk(task_id=chunk.task_id, stream=_STREAMS[chunk.stream], text=chunk.text)


def _encodable(text: str) -> str:
    """Return the text with lone surrogates replaced. File names and JSON may contain them, protobuf may not."""
    return text.encode("utf-8", errors="replace").decode()


def _address(text: str) -> Address:
    return address(text) if text else ZERO_ADDRESS
