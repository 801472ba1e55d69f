"""Hub events as the scheduler's events."""

from typing import Any

import pytest
from workerpool_core.app.chain.task_events import FOLLOWED, task_log
from workerpool_core.domain.events import TaskLogKind
from workerpool_poco.protocol.contracts import events as e
from workerpool_poco.protocol.ids import Address, DealId, TaskId

TASK = TaskId("0x" + "ab" * 32)
WORKER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
RESULT = b"\x01" * 32
POSITION = e.LogPosition(12, b"\x02" * 32, b"\x03" * 32, 0, Address("0x" + "00" * 20))


@pytest.mark.parametrize(
    ("event", "kind", "worker", "value"),
    [
        (e.TaskInitialize(TASK, "0xPool", POSITION), TaskLogKind.INITIALIZE, "", ""),
        (e.TaskContribute(TASK, WORKER, RESULT, POSITION), TaskLogKind.CONTRIBUTE, WORKER, "0x" + "01" * 32),
        (e.TaskConsensus(TASK, RESULT, POSITION), TaskLogKind.CONSENSUS, "", "0x" + "01" * 32),
        (e.TaskReveal(TASK, WORKER, RESULT, POSITION), TaskLogKind.REVEAL, WORKER, "0x" + "01" * 32),
        (e.TaskReopen(TASK, POSITION), TaskLogKind.REOPEN, "", ""),
        (e.TaskFinalize(TASK, b"\x05", POSITION), TaskLogKind.FINALIZE, "", "0x05"),
        (e.TaskClaimed(TASK, POSITION), TaskLogKind.CLAIMED, "", ""),
    ],
)
def test_each_task_event_keeps_its_worker_and_value(
    event: Any, kind: TaskLogKind, worker: str, value: str
) -> None:
    found = task_log(event)
    assert found is not None
    assert (found.kind, found.task_id, found.worker, found.value) == (kind, TASK, worker, value)
    assert (found.receipt.block, found.receipt.transaction) == (12, "0x" + "03" * 32)


def test_the_notice_of_a_deal_is_no_task_event() -> None:
    assert e.SchedulerNotice in FOLLOWED
    assert task_log(e.SchedulerNotice(WORKER, DealId("0x" + "04" * 32), POSITION)) is None
