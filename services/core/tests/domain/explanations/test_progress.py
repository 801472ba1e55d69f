"""What a task waits for while nothing hinders it: code, deadline and numbers by status."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain.explanations.progress import progress
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import REASONS
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task
from workerpool_poco.protocol.statuses import FAILURE_TASK_STATUSES
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import TaskStatus as T

AddTask = Callable[..., Task]


def give(task: Task, number: int, *statuses: R, message: str = "", **fields: Any) -> None:
    history = [ReplicateChange(status, 5.0, Modifier.WORKER, message=message) for status in statuses]
    task.replicates[f"0x{number}"] = Replicate(task.task_id, f"0x{number}", 2, history, **fields)


@pytest.mark.parametrize(
    ("status", "code", "deadline"),
    [
        (T.RECEIVED, ReasonCode.WAITING_FOR_INITIALIZE, "contribution_deadline"),
        (T.INITIALIZING, ReasonCode.WAITING_FOR_INITIALIZE, "contribution_deadline"),
        (T.AT_LEAST_ONE_REVEALED, ReasonCode.WAITING_FOR_UPLOAD, "final_deadline"),
        (T.RESULT_UPLOADING, ReasonCode.WAITING_FOR_UPLOAD, "final_deadline"),
        (T.FINALIZING, ReasonCode.WAITING_FOR_FINALIZE, "final_deadline"),
        (T.REOPENING, ReasonCode.WAITING_FOR_REOPEN, "contribution_deadline"),
    ],
)
def test_a_status_tells_what_is_awaited_and_until_when(
    add_task: AddTask, status: T, code: ReasonCode, deadline: str
) -> None:
    task = add_task(1, status)
    found = progress(task)
    assert (found.code, found.until) == (code, getattr(task.terms, deadline))


@pytest.mark.parametrize("status", [T.CONSENSUS_REACHED, T.RESULT_UPLOADED])
def test_a_reveal_is_awaited_until_its_deadline(add_task: AddTask, status: T) -> None:
    task = add_task(1, status)
    task.reveal_deadline, task.winner_count = 1_000_500.0, 2
    give(task, 1, R.CONTRIBUTED, R.REVEALED, contribution_hash="0xaa")
    give(task, 2, R.CONTRIBUTED, contribution_hash="0xaa")
    found = progress(task)
    assert (found.code, found.until) == (ReasonCode.WAITING_FOR_REVEAL, 1_000_500.0)
    told = dict(found.evidence)
    assert (told["winners"], told["revealed"], told["workers"]) == ("2", "1", "0x1, 0x2")


def test_failed_uploads_are_reported_with_their_workers_and_the_last_error(add_task: AddTask) -> None:
    task = add_task(1, T.RESULT_UPLOADING)
    task.uploader = "0x2"
    give(task, 1, R.REVEALED, R.RESULT_UPLOAD_FAILED, message="the proxy answers 503")
    give(task, 2, R.REVEALED, R.RESULT_UPLOADING)
    found = progress(task)
    assert found.code is ReasonCode.UPLOAD_FAILING
    assert "the proxy answers 503" in found.message
    told = dict(found.evidence)
    assert (told["failed_uploads"], told["workers"], told["uploader"]) == ("1", "0x1", "0x2")


def test_workers_that_compute_are_reported(add_task: AddTask) -> None:
    task = add_task(1, T.RUNNING)
    assert progress(task).code is ReasonCode.WAITING_FOR_WORKER
    give(task, 1, R.COMPUTING)
    found = progress(task)
    assert (found.code, found.side) == (ReasonCode.COMPUTING, None)
    assert dict(found.evidence) == {"max_execution_s": "300", "workers": "0x1", "statuses": "1 COMPUTING"}


def test_contributions_that_wait_for_others_wait_for_the_consensus(add_task: AddTask) -> None:
    task = add_task(1, T.RUNNING, trust=3)
    give(task, 1, R.CONTRIBUTED, contribution_hash="0xaa")
    give(task, 2, R.COMPUTING)
    assert progress(task).code is ReasonCode.COMPUTING
    give(task, 2, R.COMPUTED, R.ABORTED)
    found = progress(task)
    assert (found.code, found.until) == (ReasonCode.WAITING_FOR_CONSENSUS, task.terms.contribution_deadline)
    assert dict(found.evidence)["contributions"] == "1"


@pytest.mark.parametrize("status", sorted(set(T) - FAILURE_TASK_STATUSES - {T.COMPLETED, T.FAILED}))
def test_every_open_status_has_a_code_whose_row_names_the_evidence(add_task: AddTask, status: T) -> None:
    task = add_task(1, status)
    give(task, 1, R.CONTRIBUTED, contribution_hash="0xaa")
    found = progress(task)
    assert found.code is not None
    assert {key for key, _ in found.evidence} <= set(REASONS[found.code].evidence)
