"""Tasks and replicates as messages: absent values stay absent, and no date is beyond what a message holds."""

from collections.abc import Callable

from workerpool_core.api.task_messages import replicate_message, task_message
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.model import Modifier, Receipt, Replicate, ReplicateChange, Task, TaskChange
from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus
from workerpool_protocol.core.v1 import statuses_pb2 as statuses

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
HASH = "0x" + "ab" * 32


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
    task = make_task()
    replicate = make_replicate(task)
    cause = ReplicateStatusCause.OUT_OF_GAS
    replicate.history += [
        ReplicateChange(ReplicateStatus.START_FAILED, 2.0, Modifier.WORKER, cause),
        ReplicateChange(ReplicateStatus.WORKER_LOST, 3.0, Modifier.POOL_MANAGER),
    ]
    message = replicate_message(task, replicate)
    assert message.status == statuses.REPLICATE_STATUS_WORKER_LOST
    assert message.last_relevant_status == statuses.REPLICATE_STATUS_START_FAILED
    assert message.history[1].cause == statuses.REPLICATE_STATUS_CAUSE_OUT_OF_GAS
    assert not message.HasField("exit_code")
    replicate.exit_code = 0
    assert replicate_message(task, replicate).HasField("exit_code")


def test_a_failed_entry_says_whose_side_it_is_on_and_what_follows(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task = make_task(status=TaskStatus.RUNNING)
    replicate = make_replicate(task)
    replicate.exit_code = 3
    cause = ReplicateStatusCause.APP_COMPUTE_FAILED
    failed = ReplicateChange(ReplicateStatus.COMPUTED, 2.0, Modifier.WORKER, cause, message="Exit code 3.")
    replicate.history.append(failed)
    entry = replicate_message(task, replicate).history[-1]
    assert (entry.message, entry.fault, entry.exit_code) == ("Exit code 3.", statuses.FAULT_APP, 3)
    assert "--logs" in entry.next_step


def test_the_last_entry_of_a_waiting_task_says_why(make_task: Callable[..., Task]) -> None:
    waiting = Explanation("No worker is connected.", Side.POOL, "The task starts when one connects.")
    message = task_message(make_task(status=TaskStatus.INITIALIZED), waiting=waiting)
    assert message.waiting_reason == waiting.sentences
    entry = message.history[-1]
    assert (entry.message, entry.next_step, entry.fault) == (
        waiting.message,
        waiting.next_step,
        statuses.FAULT_POOL,
    )


def test_a_task_without_its_replicates_is_not_explained(make_task: Callable[..., Task]) -> None:
    """It would seem that no worker took the task."""
    message = task_message(make_task(status=TaskStatus.RUNNING), with_replicates=False)
    assert [entry.message for entry in message.history] == [""]


def test_a_failed_task_has_its_cause_and_its_refund(make_task: Callable[..., Task]) -> None:
    task = make_task()
    task.history += [TaskChange(TaskStatus.INITIALIZE_FAILED, 9.0), TaskChange(TaskStatus.FAILED, 9.0)]
    task.error_cause, task.error_message, task.claim_due = ReplicateStatusCause.UNKNOWN_SMS, "No SMS.", True
    entry = task_message(task).history[-1]
    assert entry.cause == statuses.REPLICATE_STATUS_CAUSE_UNKNOWN_SMS
    assert (entry.message, entry.fault) == ("No SMS.", statuses.FAULT_POOL)
    assert "iexec task claim" in entry.next_step
