"""The tails of the output of running apps."""

from collections.abc import Callable

import pytest
from workerpool_core.app.ports import ComputeLogs
from workerpool_core.app.queries.live_logs import MAX_LOG_CHARACTERS, LiveLogs
from workerpool_core.domain.decisions import Outcome, ReplicateChanged
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task
from workerpool_core.errors import ForeignReplicate
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus

TASK, OTHER = TaskId(f"0x{1001:064x}"), TaskId(f"0x{1002:064x}")
UNKNOWN = TaskId("0x" + "33" * 32)
WALLETS = ("0xA", "0xB", "0xC")
Tasks = dict[TaskId, Task]


@pytest.fixture
def tasks(make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]) -> Tasks:
    """Two tasks that three workers work on."""
    tasks = {task.task_id: task for task in (make_task(1), make_task(2))}
    for task in tasks.values():
        task.replicates = {wallet: make_replicate(task, wallet) for wallet in WALLETS}
    assert tasks.keys() == {TASK, OTHER}
    return tasks


@pytest.fixture
def logs(tasks: Tasks) -> LiveLogs:
    return LiveLogs(tasks)


def changed(status: ReplicateStatus) -> Outcome:
    change = ReplicateChange(status, 1.0, Modifier.WORKER)
    return Outcome([ReplicateChanged(TASK, "0xA", ReplicateStatus.COMPUTING, (change,), {})])


def test_only_the_last_characters_of_each_stream_are_kept(logs: LiveLogs) -> None:
    logs.add(TASK, "0xA", stdout="first" + "x" * MAX_LOG_CHARACTERS, stderr="e")
    logs.add(TASK, "0xA", stdout="last")
    (kept,) = logs.of(TASK)
    assert (len(kept.stdout), kept.stdout[-5:], kept.stderr) == (MAX_LOG_CHARACTERS, "xlast", "e")


def test_tails_are_read_by_task_and_by_worker(logs: LiveLogs) -> None:
    logs.add(TASK, "0xA", stdout="a")
    logs.add(TASK, "0xB", stdout="b")
    logs.add(OTHER, "0xA", stdout="c")
    assert [kept.stdout for kept in logs.of(TASK)] == ["a", "b"]
    assert logs.of(TASK, "0xB") == [ComputeLogs("0xB", "b", "")]
    assert logs.of(UNKNOWN) == []


def test_the_least_recently_updated_tail_is_evicted(tasks: Tasks) -> None:
    logs = LiveLogs(tasks, max_characters=10)
    logs.add(TASK, "0xA", stdout="aaaa")
    logs.add(TASK, "0xB", stdout="bbbb")
    logs.add(TASK, "0xA", stdout="a")
    logs.add(TASK, "0xC", stdout="cccc")
    assert [kept.wallet for kept in logs.of(TASK)] == ["0xA", "0xC"]


def test_a_tail_lasts_as_long_as_its_app_runs(logs: LiveLogs) -> None:
    logs.add(TASK, "0xA", stdout="a")
    logs.settle(changed(ReplicateStatus.COMPUTING))
    assert logs.of(TASK)
    logs.settle(changed(ReplicateStatus.COMPUTED))
    assert logs.of(TASK) == []


def test_output_after_the_end_of_an_app_is_ignored(tasks: Tasks, logs: LiveLogs) -> None:
    ended = ReplicateChange(ReplicateStatus.COMPUTED, 1.0, Modifier.WORKER)
    tasks[TASK].replicates["0xA"].history.append(ended)
    logs.add(TASK, "0xA", stdout="a")
    assert logs.of(TASK) == []


def test_output_of_an_evicted_task_is_ignored(logs: LiveLogs) -> None:
    logs.add(UNKNOWN, "0xA", stdout="a")
    assert logs.of(UNKNOWN) == []


def test_output_of_a_foreign_replicate_is_refused(logs: LiveLogs) -> None:
    with pytest.raises(ForeignReplicate, match=TASK):
        logs.add(TASK, "0xD", stdout="d")
