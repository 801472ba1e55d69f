"""Messages of a worker's stream, in both directions."""

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache

from google.protobuf.duration_pb2 import Duration
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId, to_hex
from workerpool_poco.protocol.model import Block
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.task_pb2 import ChainReceipt
from workerpool_protocol.poco.v1.authorization_pb2 import WorkerpoolAuthorization

from workerpool_core.api.protocol_enums import (
    ACTION,
    CAUSE,
    CAUSE_OF,
    REPLICATE_STATUS_OF,
    UPDATE_OUTCOME,
)
from workerpool_core.api.times import timestamp
from workerpool_core.app.queries.live_logs import MAX_LOG_CHARACTERS
from workerpool_core.app.running import PublicConfiguration
from workerpool_core.app.workers import messages as m
from workerpool_core.domain.decisions import AnswerUpdate
from workerpool_core.domain.events import Details, HeldReplicate, Update
from workerpool_core.domain.model import Receipt, WorkerModel
from workerpool_core.errors import NumberTooLarge

HEARTBEAT_PERIOD_S = 10

_MAX_BYTES = 1024 * 1024
"""Size above which a message gets no further decisions: a quarter of what a peer accepts."""
_RESULT_BYTES = 256
"""Upper estimate of one result with its reason and message."""
_MAX_STORED = 2**63 - 1

# --- from the worker ----------------------------------------------------------------------------


def model_of(message: pb.WorkerModel) -> WorkerModel:
    """Return the model of a worker; one with a GPU has one slot (core spec §3.4). Raises NumberTooLarge."""
    return WorkerModel(
        name=message.name,
        version=message.version,
        os=message.os,
        cpu=message.cpu,
        slots=1 if message.gpus else message.slots,
        memory_bytes=_stored(message.memory_bytes, "memory_bytes"),
        gpus=message.gpus,
        sgx=message.sgx,
        tdx=message.tdx,
        slot_memory_bytes=_stored(message.slot_memory_bytes, "slot_memory_bytes"),
    )


def held_of(messages: Iterable[pb.HeldReplicate]) -> tuple[HeldReplicate, ...]:
    """Return the replicates that a worker holds according to its Hello."""
    return tuple(
        HeldReplicate(
            TaskId(item.task_id),
            REPLICATE_STATUS_OF[item.status],
            item.result_available,
            item.last_command_sequence,
        )
        for item in messages
    )


def update_of(message: pb.StatusUpdate) -> Update:
    """Return one status update, with logs cut to their last 100,000 characters. Raises NumberTooLarge."""
    sequence = _stored(message.sequence, "sequence")
    if not message.HasField("details"):
        return Update(sequence, TaskId(message.task_id), REPLICATE_STATUS_OF[message.status])
    details = message.details
    receipt = details.chain_receipt if details.HasField("chain_receipt") else None
    return Update(
        sequence,
        TaskId(message.task_id),
        REPLICATE_STATUS_OF[message.status],
        Details(
            cause=CAUSE_OF[details.cause],
            receipt=_receipt(receipt) if receipt is not None else None,
            result_link=details.result_link,
            callback_data=details.callback_data,
            exit_code=details.exit_code if details.HasField("exit_code") else None,
            stdout=details.stdout[-MAX_LOG_CHARACTERS:],
            stderr=details.stderr[-MAX_LOG_CHARACTERS:],
            error_message=details.error_message,
        ),
    )


def _receipt(message: ChainReceipt) -> Receipt:
    return Receipt(_stored(message.block_number, "block_number"), message.transaction_hash)


def _stored(value: int, field: str) -> int:
    """Return a number that fits the database. Raises NumberTooLarge."""
    if value > _MAX_STORED:
        raise NumberTooLarge(f"{field} must be less than 2^63")
    return value


# --- to the worker ------------------------------------------------------------------------------


def responses(waiting: list[m.Message], configuration: PublicConfiguration) -> Iterator[pb.ConnectResponse]:
    """Yield the messages to send; consecutive results and assignments share one message.

    Sending is most of the cost of a message.
    """
    message, size = pb.ConnectResponse(), 0
    for found in waiting:
        if isinstance(found, AnswerUpdate):
            message.decisions.results.append(_result(found))
            size += _RESULT_BYTES
        elif isinstance(found, m.Assigned):
            assignment = assignment_message(found)
            message.decisions.assignments.append(assignment)
            size += assignment.ByteSize()
        else:
            if size:
                yield message
                message, size = pb.ConnectResponse(), 0
            yield _response(found, configuration)
        if size > _MAX_BYTES:
            yield message
            message, size = pb.ConnectResponse(), 0
    if size:
        yield message


def _result(answer: AnswerUpdate) -> pb.UpdateResult:
    return pb.UpdateResult(
        sequence=answer.sequence,
        outcome=UPDATE_OUTCOME[answer.outcome],
        next_action=ACTION[answer.action],
        reason=answer.reason,
        message=answer.message,
    )


def _response(
    message: m.Commanded | m.Welcomed | m.Draining | m.ConfigurationChanged | m.NewHead | m.ShutDown,
    configuration: PublicConfiguration,
) -> pb.ConnectResponse:
    match message:
        case m.Commanded(command, assignment):
            return pb.ConnectResponse(
                command=pb.Command(
                    sequence=command.sequence,
                    task_id=command.task_id,
                    action=ACTION[command.action],
                    block_number=command.block,
                    cause=CAUSE[command.cause],
                    assignment=assignment_message(assignment) if assignment is not None else None,
                )
            )
        case m.Welcomed(session, dropped):
            return pb.ConnectResponse(
                welcome=pb.Welcome(
                    session_id=session,
                    configuration=configuration_message(configuration),
                    heartbeat_period=Duration(seconds=HEARTBEAT_PERIOD_S),
                    dropped_task_ids=dropped,
                )
            )
        case m.Draining(deadline):
            hurry = timestamp(deadline) if deadline and math.isfinite(deadline) else None
            return pb.ConnectResponse(drain=pb.Drain(deadline=hurry))
        case m.ConfigurationChanged():
            change = pb.ConfigurationChange(configuration=configuration_message(configuration))
            return pb.ConnectResponse(configuration_change=change)
        case m.NewHead(block):
            return _head_response(block)
        case m.ShutDown(reason, text, retry_after_s):
            retry = None if retry_after_s is None else _duration(retry_after_s)
            return pb.ConnectResponse(shutdown=pb.Shutdown(reason=reason, message=text, retry_after=retry))


@lru_cache(maxsize=4)
def _head_response(block: Block) -> pb.ConnectResponse:
    """Return a head as a message, which thousands of workers share."""
    return pb.ConnectResponse(
        head=pb.Head(
            number=block.number,
            hash=to_hex(block.hash),
            parent_hash=to_hex(block.parent_hash),
            timestamp=block.timestamp,
        )
    )


def _duration(seconds: float) -> Duration:
    message = Duration()
    message.FromMilliseconds(int(seconds * 1000))
    return message


def configuration_message(configuration: PublicConfiguration) -> pb.PublicConfiguration:
    """Return the pool's public configuration as a message."""
    return pb.PublicConfiguration(
        workerpool=configuration.workerpool,
        scheduler=configuration.scheduler,
        config_server_url=configuration.config_server_url,
        result_proxy_url=configuration.result_proxy_url,
        required_worker_version=configuration.required_worker_version,
        scheduler_version=configuration.scheduler_version,
        configuration_hash=configuration.hash,
    )


def assignment_message(assigned: m.Assigned) -> pb.Assignment:
    """Return an assignment as a message."""
    signed, terms = assigned.authorization, assigned.terms
    task_id = signed.task_id
    return pb.Assignment(
        authorization=WorkerpoolAuthorization(
            task_id=task_id,
            deal_id=terms.deal_id,
            task_index=assigned.index,
            worker_wallet=signed.worker,
            enclave_challenge=signed.enclave_challenge,
            signature=to_hex(signed.signature),
        ),
        task=pb.TaskDescription(
            task_id=task_id,
            deal_id=terms.deal_id,
            task_index=assigned.index,
            bot_first=terms.bot_first,
            bot_size=terms.bot_size,
            app_uri=terms.app_uri,
            app_address=terms.app_address,
            command_line=terms.command_line,
            input_files=terms.input_files,
            dataset_address=terms.dataset_address or ZERO_ADDRESS,
            dataset_uri=terms.dataset_uri,
            dataset_checksum=terms.dataset_checksum,
            max_execution_time=Duration(seconds=terms.max_execution_s),
            trust=terms.trust,
            tag=terms.tag,
            contribution_deadline=timestamp(terms.contribution_deadline),
            final_deadline=timestamp(terms.final_deadline),
            callback=terms.callback,
            requester=terms.requester,
            beneficiary=terms.beneficiary,
            worker_stake=terms.worker_stake,
            result_storage_provider=terms.storage_provider,
            result_storage_proxy=terms.storage_proxy,
            result_encryption=terms.result_encryption,
            secrets=dict(terms.secrets),
        ),
        initialization_block=assigned.initialization_block,
        sms_url=assigned.sms_url,
    )
