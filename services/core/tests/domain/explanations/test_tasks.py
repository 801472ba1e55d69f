"""What a requester reads beside the statuses of a task."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.tasks import explain_task
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task, TaskChange
from workerpool_kit.text.spans import utc
from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.statuses import FAILURE_TASK_STATUSES
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
from workerpool_poco.protocol.statuses import TaskStatus as T

AddTask = Callable[..., Task]


def failed(task: Task, reason: T, **fields: Any) -> Task:
    task.history += [TaskChange(reason, 9.0), TaskChange(T.FAILED, 9.0)]
    task.claim_due = True
    for name, value in fields.items():
        setattr(task, name, value)
    return task


def attempt(task: Task, number: int, status: R, cause: C | None = None, **fields: Any) -> None:
    message = fields.pop("message", "")
    change = ReplicateChange(status, 5.0, Modifier.WORKER, cause, message=message)
    task.replicates[f"0x{number}"] = Replicate(task.task_id, f"0x{number}", 2, [change], **fields)


def last(task: Task, waiting: Explanation | None = None) -> Explanation:
    found = explain_task(task, waiting)
    assert len(found) == len(task.history)
    assert found[-1] is not None
    return found[-1]


@pytest.mark.parametrize("reason", sorted(FAILURE_TASK_STATUSES))
def test_each_failure_says_why_whose_side_it_is_on_and_how_the_price_is_refunded(
    add_task: AddTask, reason: T
) -> None:
    task = failed(add_task(), reason)
    why, end = explain_task(task)[-2:]
    assert why == end
    assert end is not None
    assert end.message
    assert end.side is not None
    date = utc(task.terms.final_deadline)
    assert (
        f"the pool claims the task by itself after {date}; iexec task claim {task.task_id}" in end.next_step
    )


def test_a_claimed_task_says_that_the_price_is_back(add_task: AddTask) -> None:
    found = last(failed(add_task(), T.CONTRIBUTION_TIMEOUT, claim_due=False, final_block=9))
    assert "closed on chain" in found.next_step


def test_a_free_task_has_nothing_to_refund(add_task: AddTask) -> None:
    found = last(failed(add_task(1, free=True), T.CONTRIBUTION_TIMEOUT, claim_due=False))
    assert found.next_step == "The task was free, so there is nothing to refund."


def test_a_task_that_no_sms_serves_says_so(add_task: AddTask) -> None:
    words = "no SMS serves TDX in the default stack of the platform registry"
    found = last(failed(add_task(), T.INITIALIZE_FAILED, error_cause=C.UNKNOWN_SMS, error_message=words))
    assert (found.message, found.side, found.cause) == (words, Side.POOL, C.UNKNOWN_SMS)
    assert found.next_step.startswith("Buy from a pool that serves this enclave")


def test_the_failure_of_most_workers_is_that_of_the_task(add_task: AddTask) -> None:
    task = failed(add_task(), T.CONTRIBUTION_TIMEOUT)
    words = "the app ended with exit code 3"
    for number in (1, 2):
        attempt(task, number, R.COMPUTED, C.APP_COMPUTE_FAILED, message=words, exit_code=3)
    attempt(task, 3, R.START_FAILED, C.HOST_FAILED)
    found = last(task)
    assert found.message == f"2 of 3 workers ended without a result: {words}"
    assert (found.side, found.cause, found.exit_code) == (Side.APP, C.APP_COMPUTE_FAILED, 3)
    assert "--logs" in found.next_step


def test_a_task_without_any_worker_is_the_pools_fault(add_task: AddTask) -> None:
    words = "no worker took the task until the contribution deadline: No worker is connected."
    task = failed(add_task(), T.CONTRIBUTION_TIMEOUT, error_cause=C.CONTRIBUTION_TIMEOUT, error_message=words)
    assert (last(task).message, last(task).side) == (words, Side.POOL)


def test_workers_that_were_too_slow(add_task: AddTask) -> None:
    task = failed(add_task(), T.CONTRIBUTION_TIMEOUT)
    attempt(task, 1, R.COMPUTING)
    assert (last(task).message, last(task).side) == (
        "1 worker had not finished the task in time (COMPUTING)",
        Side.WORKER,
    )


def test_workers_that_disagree(add_task: AddTask) -> None:
    task = failed(add_task(1, trust=3), T.CONTRIBUTION_TIMEOUT)
    attempt(task, 1, R.CONTRIBUTED, contribution_hash="0xaa")
    assert last(task).message == "1 worker contributed, too few for trust 3"
    attempt(task, 2, R.CONTRIBUTED, contribution_hash="0xbb")
    assert "2 workers contributed 2 different results" in last(task).message
    assert last(task).side is Side.APP


def test_an_error_result_says_what_it_stands_for(add_task: AddTask) -> None:
    task = add_task(1, T.COMPLETED)
    assert explain_task(task) == [None]
    task.error_cause, task.error_message = C.APP_COMPUTE_FAILED, "The app ended with exit code 3."
    attempt(task, 1, R.COMPUTED, C.APP_COMPUTE_FAILED, exit_code=3)
    found = last(task)
    assert found.message == "the result is an error result: The app ended with exit code 3."
    assert (found.side, found.exit_code) == (Side.APP, 3)
    assert found.next_step.endswith("The result has the file error.txt.")


def test_the_last_entry_of_an_open_task_tells_why_it_waits(add_task: AddTask) -> None:
    waiting = Explanation("No worker is connected.", Side.POOL, "The task starts when one connects.")
    task = add_task(1, T.INITIALIZED)
    task.history.insert(0, TaskChange(T.RECEIVED, 1.0))
    assert explain_task(task, waiting) == [None, waiting]


@pytest.mark.parametrize(
    "status",
    [
        status
        for status in T
        if status not in FAILURE_TASK_STATUSES | {T.COMPLETED, T.FAILED, T.REOPENED, T.FINALIZED}
    ],
)
def test_every_open_task_says_who_is_at_work_or_what_it_waits_for(add_task: AddTask, status: T) -> None:
    task = add_task(1, status)
    found = last(task)
    assert found.message
    if status is not T.RUNNING:
        assert found.side is not None


def test_a_task_with_workers_says_what_they_do(add_task: AddTask) -> None:
    task = add_task(1, T.RUNNING)
    assert "no output yet" in last(task).message
    attempt(task, 1, R.COMPUTING)
    attempt(task, 2, R.COMPUTING)
    found = last(task)
    assert (found.message, found.side) == ("2 workers got the task: 2 COMPUTING", None)
