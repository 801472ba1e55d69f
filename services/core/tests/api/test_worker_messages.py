"""Messages of a worker's stream: numbers that the database cannot hold are refused, decisions share messages."""

import math

import pytest
from workerpool_core.api import worker_messages
from workerpool_core.api.worker_messages import held_of, model_of, responses, update_of
from workerpool_core.app.queries.live_logs import MAX_LOG_CHARACTERS
from workerpool_core.app.running import PublicConfiguration
from workerpool_core.app.workers import messages as m
from workerpool_core.domain.decisions import AnswerUpdate, UpdateOutcome
from workerpool_core.domain.events import HeldReplicate
from workerpool_core.domain.model import Action, Command, Receipt
from workerpool_core.errors import NumberTooLarge
from workerpool_poco.protocol.ids import TaskId, address
from workerpool_poco.protocol.model import Block
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.task_pb2 import ChainReceipt

WALLET = address("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")
TASK = TaskId("0x" + "ab" * 32)
CONFIGURATION = PublicConfiguration(WALLET, WALLET, "http://c", "http://r", "", "1", "0x1")
TOO_LARGE = 2**63


def answer(sequence: int) -> AnswerUpdate:
    return AnswerUpdate(WALLET, "s", sequence, UpdateOutcome.ACCEPTED, Action.CONTINUE)


def sent(*waiting: m.Message) -> list[pb.ConnectResponse]:
    return list(responses(list(waiting), CONFIGURATION))


def test_a_worker_with_a_gpu_has_one_slot() -> None:
    assert model_of(pb.WorkerModel(name="w", slots=8, memory_bytes=1)).slots == 8
    assert model_of(pb.WorkerModel(name="w", slots=8, memory_bytes=1, gpus=2)).slots == 1


def test_numbers_that_the_database_cannot_hold_are_refused() -> None:
    with pytest.raises(NumberTooLarge, match="memory_bytes"):
        model_of(pb.WorkerModel(memory_bytes=TOO_LARGE))
    with pytest.raises(NumberTooLarge, match="sequence"):
        update_of(pb.StatusUpdate(sequence=TOO_LARGE))
    receipt = pb.StatusDetails(chain_receipt=ChainReceipt(block_number=TOO_LARGE))
    with pytest.raises(NumberTooLarge, match="block_number"):
        update_of(pb.StatusUpdate(status=statuses.REPLICATE_STATUS_REVEALED, details=receipt))


def test_held_replicates_are_read() -> None:
    held = pb.HeldReplicate(
        task_id=TASK,
        status=statuses.REPLICATE_STATUS_COMPUTED,
        result_available=True,
        last_command_sequence=4,
    )
    assert held_of([held]) == (HeldReplicate(TASK, ReplicateStatus.COMPUTED, True, 4),)


def test_an_update_keeps_the_end_of_long_logs_and_what_is_absent() -> None:
    details = pb.StatusDetails(
        stdout="a" + "b" * MAX_LOG_CHARACTERS, chain_receipt=ChainReceipt(block_number=3)
    )
    update = update_of(
        pb.StatusUpdate(sequence=1, task_id=TASK, status=statuses.REPLICATE_STATUS_COMPUTED, details=details)
    )
    assert update.details is not None
    assert update.details.stdout == "b" * MAX_LOG_CHARACTERS
    assert update.details.receipt == Receipt(3, "")
    assert (update.details.cause, update.details.exit_code) == (None, None)


def test_consecutive_decisions_share_a_message_and_a_command_keeps_its_place() -> None:
    command = Command(WALLET, 7, TASK, Action.ABORT, cause=ReplicateStatusCause.REVEAL_TIMEOUT)
    first, second, third = sent(answer(1), answer(2), m.Commanded(command), answer(3))
    assert [result.sequence for result in first.decisions.results] == [1, 2]
    assert (second.command.sequence, second.command.action) == (7, pb.ACTION_ABORT)
    assert second.command.cause == statuses.REPLICATE_STATUS_CAUSE_REVEAL_TIMEOUT
    assert [result.sequence for result in third.decisions.results] == [3]


def test_many_decisions_are_split_into_several_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_messages, "_MAX_BYTES", 3 * worker_messages._RESULT_BYTES)
    split = sent(*(answer(number) for number in range(1, 11)))
    assert [len(message.decisions.results) for message in split] == [4, 4, 2]


def test_a_welcome_names_the_configuration_and_the_replicates_to_drop() -> None:
    (message,) = sent(m.Welcomed("session", (TASK,)))
    assert message.welcome.configuration.workerpool == WALLET
    assert list(message.welcome.dropped_task_ids) == [TASK]
    assert message.welcome.heartbeat_period.seconds == worker_messages.HEARTBEAT_PERIOD_S


@pytest.mark.parametrize(("deadline", "limited"), [(math.inf, False), (0.0, False), (5.0, True)])
def test_a_drain_without_limit_has_no_deadline(deadline: float, limited: bool) -> None:
    (message,) = sent(m.Draining(deadline))
    assert message.drain.HasField("deadline") is limited


def test_a_shutdown_without_pause_tells_the_worker_not_to_reconnect() -> None:
    final, soon = sent(m.ShutDown("REPLACED", "text"), m.ShutDown("SCHEDULER_STOPPING", "text", 1.5))
    assert not final.shutdown.HasField("retry_after")
    assert soon.shutdown.retry_after.ToMilliseconds() == 1500


def test_thousands_of_workers_share_the_message_of_a_head() -> None:
    head = m.NewHead(Block(7, b"\x07" * 32, b"\x06" * 32, 1_000))
    (first,), (second,) = sent(head), sent(head)
    assert first is second
    assert (first.head.number, first.head.timestamp) == (7, 1_000)
    assert (first.head.hash, first.head.parent_hash) == ("0x" + "07" * 32, "0x" + "06" * 32)
