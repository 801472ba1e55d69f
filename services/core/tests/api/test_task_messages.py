"""Tasks and replicates as messages: absent values stay absent, and no date is beyond what a message holds."""

from collections.abc import Callable

import pytest
from workerpool_core.api.task_messages import LAST_DATE, replicate_message, task_message, timestamp
from workerpool_core.domain.model import Modifier, Receipt, Replicate, ReplicateChange, Task, TaskChange
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus
from workerpool_protocol.core.v1 import statuses_pb2 as statuses

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
HASH = "0x" + "ab" * 32


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, (0, 0)),
        (1_700_000_000.5, (1_700_000_000, 500_000_000)),
        (-1.0, (0, 0)),
    ],
)
def test_a_date_is_kept_within_what_a_message_holds(seconds: float, expected: tuple[int, int]) -> None:
    message = timestamp(seconds)
    assert (message.seconds, message.nanos) == expected


def test_a_date_after_the_last_one_becomes_the_last_one() -> None:
    assert timestamp(float("inf")) == timestamp(LAST_DATE)


def test_a_task_before_consensus_has_no_reveal_deadline(make_task: Callable[..., Task]) -> None:
    message = task_message(make_task())
    assert not message.HasField("reveal_deadline")
    assert message.enclave_challenge == ZERO_ADDRESS
    assert message.status == statuses.TASK_STATUS_RECEIVED


def test_a_history_carries_its_receipts(make_task: Callable[..., Task]) -> None:
    task = make_task()
    task.history.append(TaskChange(TaskStatus.INITIALIZED, 12.0, Receipt(7, HASH)))
    task.reveal_deadline = 99.0
    first, second = (message := task_message(task)).history
    assert not first.HasField("chain_receipt")
    assert (second.chain_receipt.block_number, second.chain_receipt.transaction_hash) == (7, HASH)
    assert message.reveal_deadline.seconds == 99


def test_replicates_are_left_out_on_request(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task = make_task()
    task.replicates[WALLET] = make_replicate(task)
    assert [item.wallet_address for item in task_message(task).replicates] == [WALLET]
    assert not task_message(task, with_replicates=False).replicates


def test_a_lost_replicate_shows_its_last_relevant_status_and_cause(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    replicate = make_replicate(make_task())
    cause = ReplicateStatusCause.OUT_OF_GAS
    replicate.history += [
        ReplicateChange(ReplicateStatus.START_FAILED, 2.0, Modifier.WORKER, cause),
        ReplicateChange(ReplicateStatus.WORKER_LOST, 3.0, Modifier.POOL_MANAGER),
    ]
    message = replicate_message(replicate)
    assert message.status == statuses.REPLICATE_STATUS_WORKER_LOST
    assert message.last_relevant_status == statuses.REPLICATE_STATUS_START_FAILED
    assert message.history[1].cause == statuses.REPLICATE_STATUS_CAUSE_OUT_OF_GAS
    assert not message.HasField("exit_code")
    replicate.exit_code = 0
    assert replicate_message(replicate).HasField("exit_code")
