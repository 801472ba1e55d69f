"""What a requester reads beside the statuses of a replicate."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain.blame import BLAME
from workerpool_core.domain.explanations.replicates import FAILURES, explain_replicate, is_failure
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task
from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
from workerpool_poco.protocol.statuses import TaskStatus

AddTask = Callable[..., Task]


def entry(status: R, cause: C | None = None, message: str = "", *, by_pool: bool = False) -> ReplicateChange:
    modifier = Modifier.POOL_MANAGER if by_pool else Modifier.WORKER
    return ReplicateChange(status, 5.0, modifier, cause, message=message)


def explained(task: Task, *history: ReplicateChange, **fields: Any) -> Any:
    """Return the explanation of the last entry."""
    replicate = Replicate(task.task_id, "0xW", 2, list(history), **fields)
    found = explain_replicate(task, replicate)
    assert len(found) == len(history)
    return found[-1]


def test_a_failing_app_is_the_apps_fault_with_its_exit_code_and_the_next_step(add_task: AddTask) -> None:
    task = add_task()
    found = explained(
        task, entry(R.COMPUTED, C.APP_COMPUTE_FAILED, "The app ended with exit code 3."), exit_code=3
    )
    assert (found.message, found.side, found.cause, found.exit_code) == (
        "The app ended with exit code 3.",
        Side.APP,
        C.APP_COMPUTE_FAILED,
        3,
    )
    assert f"iexec task debug {task.task_id} --logs" in found.next_step
    assert "Another worker tries the task" in found.next_step


def test_an_app_that_ended_well_has_its_exit_code_and_no_fault(add_task: AddTask) -> None:
    found = explained(add_task(), entry(R.COMPUTING), entry(R.COMPUTED), exit_code=0)
    assert (found.message, found.side, found.exit_code) == ("the app ended with exit code 0", None, 0)


@pytest.mark.parametrize("status", list(FAILURES))
@pytest.mark.parametrize("task_status", [TaskStatus.RUNNING, TaskStatus.CONSENSUS_REACHED, TaskStatus.FAILED])
def test_every_failed_entry_says_what_happened_whose_side_it_is_on_and_what_follows(
    add_task: AddTask, status: R, task_status: TaskStatus
) -> None:
    task = add_task(1, task_status)
    for cause in (None, *C):
        change = entry(status, cause)
        if is_failure(change):
            found = explained(task, change)
            assert found.message
            assert found.next_step
            assert found.cause is cause
            assert found.side is (BLAME[cause].side if cause is not None else found.side)
            assert found.side is not None


def test_a_computed_entry_without_a_cause_is_no_failure() -> None:
    assert not is_failure(entry(R.COMPUTED))
    assert is_failure(entry(R.COMPUTED, C.APP_OUT_OF_MEMORY))
    assert not is_failure(entry(R.STARTED))


def test_a_worker_that_was_lost_is_on_the_workers_side(add_task: AddTask) -> None:
    found = explained(add_task(), entry(R.STARTED), entry(R.WORKER_LOST, by_pool=True))
    assert (found.side, found.next_step) == (Side.WORKER, "The task goes to another worker.")


def test_a_worker_that_was_aborted_by_the_pool_is_not_to_blame(add_task: AddTask) -> None:
    assert explained(add_task(), entry(R.ABORTED)).side is Side.POOL
    late = explained(add_task(2), entry(R.ABORTED, C.CONSENSUS_REACHED))
    assert late.message == "other workers agreed before this one was needed"
    assert "continues without this worker" in late.next_step


def test_a_failed_upload_says_that_another_worker_is_asked(add_task: AddTask) -> None:
    task = add_task(1, TaskStatus.RESULT_UPLOADING)
    assert "from another worker that revealed" in explained(task, entry(R.RESULT_UPLOAD_FAILED)).next_step


@pytest.mark.parametrize(
    ("status", "words"),
    [(R.CREATED, "has not started"), (R.RECOVERING, "resumes"), (R.CONTRIBUTED, "agree for trust 3")],
)
def test_a_waiting_entry_says_what_it_waits_for(add_task: AddTask, status: R, words: str) -> None:
    found = explained(add_task(1, trust=3), entry(status, by_pool=status is not R.CONTRIBUTED))
    assert words in found.message
    assert found.side is not None
    assert found.next_step


def test_only_the_last_entry_waits_and_only_while_the_task_is_open(add_task: AddTask) -> None:
    history = [entry(R.CREATED, by_pool=True), entry(R.STARTING)]
    assert explain_replicate(add_task(), Replicate(TaskId("0x"), "0xW", 2, history)) == [None, None]
    assert explained(add_task(2, TaskStatus.FAILED), entry(R.CREATED, by_pool=True)) is None
