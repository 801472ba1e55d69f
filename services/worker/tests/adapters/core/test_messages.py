"""Mapping of messages: restored assignments, answers, and updates that the contract always accepts."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import example, given
from hypothesis import strategies as st
from workerpool_kit.grpc.times import InvalidTime
from workerpool_kit.grpc.validation import validate
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_protocol.core.v1 import statuses_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.poco.v1 import authorization_pb2
from workerpool_worker.adapters.core.messages import (
    assignment_of,
    cause_of,
    command_of,
    heartbeat_period_of,
    is_task_id,
    log_chunk_message,
    parse_assignment,
    status_number,
    update_message,
    update_result_of,
)
from workerpool_worker.app.live_output import OutputChunk
from workerpool_worker.domain.output_tail import OutputStream
from workerpool_worker.domain.stages import Action
from workerpool_worker.domain.updates import Details, Receipt, Update

from services.worker.tests.harness.builders import DEAL_ID, TASK_ID, WORKER

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
"""Text with lone surrogates, which file names and JSON may contain and protobuf may not."""


def assignment_message() -> pb.Assignment:
    return pb.Assignment(
        authorization=authorization_pb2.WorkerpoolAuthorization(
            task_id=TASK_ID,
            deal_id=DEAL_ID,
            worker_wallet=WORKER.lower(),
            enclave_challenge=ZERO_ADDRESS,
            signature="0x12",
        ),
        task=pb.TaskDescription(
            task_id=TASK_ID,
            deal_id=DEAL_ID,
            app_uri="app:1",
            input_files=["https://a/1"],
            max_execution_time=Duration(seconds=300),
            contribution_deadline=Timestamp(seconds=1_000),
            final_deadline=Timestamp(seconds=2_000),
        ),
        initialization_block=7,
    )


@example("\ud800", "\udcff", "\udfff", "\ud8ff")
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_every_text_gives_a_valid_update(stdout: str, stderr: str, message: str, link: str) -> None:
    """The worker would resend an invalid update as the first one after each reconnect."""
    details = Details(stdout=stdout, stderr=stderr, error_message=message, result_link=link)
    update = update_message(Update(7, TASK_ID, ReplicateStatus.COMPUTED, details))
    update.SerializeToString()
    validate(update)


@pytest.mark.parametrize("text", ["plain", "ünïcödé \U0001f600", ""])
def test_valid_text_is_sent_unchanged(text: str) -> None:
    details = Details(stdout=text, error_message=text, result_link=text)
    sent = update_message(Update(7, TASK_ID, ReplicateStatus.COMPUTED, details)).details
    assert (sent.stdout, sent.error_message, sent.result_link) == (text, text, text)


def test_an_update_carries_its_receipt_cause_and_exit_code() -> None:
    details = Details(ReplicateStatusCause.OUT_OF_GAS, Receipt(5, "0xaa"), exit_code=0)
    sent = update_message(Update(7, TASK_ID, ReplicateStatus.COMPUTED, details)).details
    assert sent.cause == statuses_pb2.REPLICATE_STATUS_CAUSE_OUT_OF_GAS
    assert (sent.chain_receipt.block_number, sent.chain_receipt.transaction_hash) == (5, "0xaa")
    assert sent.HasField("exit_code")
    empty = update_message(Update(7, TASK_ID, ReplicateStatus.COMPUTED)).details
    assert not empty.HasField("chain_receipt")
    assert not empty.HasField("exit_code")


def test_an_assignment_is_restored_from_its_journaled_form() -> None:
    assignment = assignment_of(assignment_message())
    assert parse_assignment(assignment.wire) == assignment
    task = assignment.task
    assert (task.task_id, task.app_uri, task.max_execution_s) == (TASK_ID, "app:1", 300.0)
    assert (task.contribution_deadline, task.final_deadline) == (1_000.0, 2_000.0)
    assert assignment.authorization.worker == WORKER
    assert assignment.initialization_block == 7


def test_an_assignment_with_an_invalid_id_is_refused() -> None:
    message = assignment_message()
    message.authorization.deal_id = "0x12"
    with pytest.raises(ValueError, match="32 bytes"):
        assignment_of(message)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contribution_deadline", Timestamp(seconds=253_402_300_800)),
        ("contribution_deadline", Timestamp(seconds=1, nanos=-1)),
        ("final_deadline", Timestamp(seconds=(1 << 63) - 1)),
        ("max_execution_time", Duration(seconds=1 << 62)),
        ("max_execution_time", Duration(seconds=-1)),
    ],
    ids=str,
)
def test_an_assignment_with_a_time_beyond_the_calendar_is_refused_by_name(
    field: str, value: Timestamp | Duration
) -> None:
    message = assignment_message()
    getattr(message.task, field).CopyFrom(value)
    with pytest.raises(ValueError, match=f"^{field}: "):
        assignment_of(message)
    with pytest.raises(ValueError, match=f"^{field}: "):
        parse_assignment(message.SerializeToString())


@pytest.mark.parametrize(
    ("period", "seconds"),
    [
        (Duration(), 10.0),
        (Duration(nanos=200_000_000), 0.2),
        (Duration(seconds=60), 60.0),
        (Duration(nanos=1), 0.05),
    ],
    ids=str,
)
def test_heartbeats_have_a_period_that_leaves_the_worker_time(period: Duration, seconds: float) -> None:
    assert heartbeat_period_of(pb.Welcome(heartbeat_period=period)) == seconds


@pytest.mark.parametrize("period", [Duration(seconds=-1), Duration(seconds=1 << 62)], ids=str)
def test_a_heartbeat_period_that_is_none_is_refused_by_name(period: Duration) -> None:
    with pytest.raises(InvalidTime, match=r"^heartbeat_period: "):
        heartbeat_period_of(pb.Welcome(heartbeat_period=period))


def test_a_damaged_journaled_assignment_is_refused() -> None:
    """Scenario 9: a task that cannot be read again."""
    with pytest.raises(ValueError, match="damaged"):
        parse_assignment(b"\xff\xff")


@pytest.mark.parametrize(("text", "valid"), [(TASK_ID, True), ("0x12", False), ("task", False)])
def test_task_ids_are_recognised(text: str, valid: bool) -> None:
    assert is_task_id(text) is valid


def test_actions_unknown_to_a_standard_worker_become_continue() -> None:
    """Scenario 25: a worker without enclaves never contributes and finalizes at once, whatever the trust."""
    assert (
        command_of(pb.Command(sequence=1, task_id=TASK_ID, action=pb.ACTION_REVEAL)).action is Action.REVEAL
    )
    assert command_of(pb.Command(sequence=1, task_id=TASK_ID)).action is Action.CONTINUE


@pytest.mark.parametrize("number", [0, 9_999])
def test_an_unset_or_newer_cause_is_none(number: int) -> None:
    assert cause_of(number) is None


def test_every_status_and_cause_has_a_number() -> None:
    for status in ReplicateStatus:
        assert status_number(status)
    for cause in ReplicateStatusCause:
        assert (
            cause_of(statuses_pb2.ReplicateStatusCause.Value(f"REPLICATE_STATUS_CAUSE_{cause.value}"))
            is cause
        )


@pytest.mark.parametrize(
    ("outcome", "next_action", "reason", "abort", "unknown"),
    [
        (pb.UPDATE_OUTCOME_ACCEPTED, pb.ACTION_UNSPECIFIED, "", False, False),
        (pb.UPDATE_OUTCOME_ACCEPTED, pb.ACTION_ABORT, "", True, False),
        (pb.UPDATE_OUTCOME_REFUSED, pb.ACTION_UNSPECIFIED, "BAD_WORKFLOW_TRANSITION", True, False),
        (pb.UPDATE_OUTCOME_REFUSED, pb.ACTION_CONTINUE, "BAD_WORKFLOW_TRANSITION", False, False),
        (pb.UPDATE_OUTCOME_REFUSED, pb.ACTION_ABORT, "UNKNOWN_REPLICATE", True, True),
    ],
)
def test_a_refusal_aborts_unless_it_names_another_action(
    outcome: pb.UpdateOutcome.ValueType,
    next_action: pb.Action.ValueType,
    reason: str,
    abort: bool,
    unknown: bool,
) -> None:
    message = pb.UpdateResult(sequence=3, outcome=outcome, next_action=next_action, reason=reason)
    result = update_result_of(message)
    assert (result.sequence, result.abort, result.unknown) == (3, abort, unknown)


def test_a_log_chunk_names_its_stream() -> None:
    chunk = log_chunk_message(OutputChunk(TASK_ID, OutputStream.STDERR, "text"))
    assert (chunk.task_id, chunk.stream, chunk.text) == (TASK_ID, pb.LOG_STREAM_STDERR, "text")
