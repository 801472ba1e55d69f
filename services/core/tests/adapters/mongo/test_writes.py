"""Each write of the scheduler as a change of one document."""

from collections.abc import Callable

from workerpool_core.adapters.mongo.changes import Kind
from workerpool_core.adapters.mongo.writes import encode
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task, TaskChange
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

NOW = 1_700_000_000.5
TASK = TaskId("0x1")
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
MakeTask = Callable[..., Task]
MakeReplicate = Callable[..., Replicate]


def test_a_created_task_may_exist_already(make_task: MakeTask) -> None:
    task = make_task()
    change = encode(d.TaskCreated(task))
    assert (change.collection, change.id, change.kind) == ("task", task.task_id, Kind.CREATE)
    assert not change.exclusive


def test_a_created_replicate_must_not_exist(make_task: MakeTask, make_replicate: MakeReplicate) -> None:
    task = make_task()
    change = encode(d.ReplicateCreated(make_replicate(task)))
    assert (change.collection, change.id) == ("replicate", f"{task.task_id}:{WALLET}")
    assert change.exclusive


def test_an_alteration_sets_the_last_status_and_expects_the_stored_one() -> None:
    steps = tuple(
        ReplicateChange(status, NOW, Modifier.WORKER)
        for status in (ReplicateStatus.STARTING, ReplicateStatus.STARTED)
    )
    change = encode(d.ReplicateChanged(TASK, WALLET, ReplicateStatus.CREATED, steps, {"exit_code": 3}))
    assert change.expected == "CREATED"
    assert [entry["status"] for entry in change.history] == ["STARTING", "STARTED"]
    assert change.fields == {"exit_code": 3, "status": "STARTED"}


def test_an_alteration_of_fields_alone_leaves_the_status() -> None:
    change = encode(d.TaskChanged(TASK, TaskStatus.RUNNING, (), {"claim_due": True}))
    assert (change.history, change.fields) == ([], {"claim_due": True})


def test_the_end_of_a_task_is_dated() -> None:
    failed = TaskChange(TaskStatus.FAILED, NOW)
    change = encode(d.TaskChanged(TASK, TaskStatus.RUNNING, (failed,)))
    assert change.fields == {"status": "FAILED", "ended_at": NOW}


def test_the_cursor_is_one_document() -> None:
    change = encode(d.CursorMoved(7, "0xaa"))
    assert (change.collection, change.id, change.kind) == ("cursor", "chain", Kind.PUT)
    assert change.document == {"number": 7, "hash": "0xaa"}
