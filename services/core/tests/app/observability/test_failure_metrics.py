"""Failures are counted once, by the side that is at fault."""

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY
from workerpool_core.app.observability import failure_metrics
from workerpool_core.domain.blame import BLAME
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus

NOW = 1_700_000_000.5
_C = ReplicateStatusCause
_R = ReplicateStatus


def replicates(cause: str, side: str) -> float:
    value = REGISTRY.get_sample_value(
        "workerpool_core_replicate_failures_total", {"cause": cause, "side": side}
    )
    assert value is not None
    return value


def tasks(status: TaskStatus, side: str) -> float:
    value = REGISTRY.get_sample_value(
        "workerpool_core_task_failures_total", {"status": status.value, "side": side}
    )
    assert value is not None
    return value


def changed(replicate: Replicate, *statuses: tuple[_R, _C | None]) -> tuple[ReplicateChange, ...]:
    changes = tuple(ReplicateChange(status, NOW, Modifier.WORKER, cause) for status, cause in statuses)
    replicate.history += changes
    return changes


def test_every_row_of_the_table_of_blame_has_a_series_from_the_start() -> None:
    for cause, blame in BLAME.items():
        assert replicates("NONE" if cause is None else cause.value, blame.side.value) >= 0


def test_a_replicate_counts_once_by_its_first_failure(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task = make_task()
    replicate = task.replicates["w"] = make_replicate(task, "w")
    before = replicates("INPUT_FILES_DOWNLOAD_FAILED", "requester"), replicates("NONE", "worker")
    first = changed(replicate, (_R.DATA_DOWNLOAD_FAILED, _C.INPUT_FILES_DOWNLOAD_FAILED))
    assert failure_metrics.replicate_failed(task, replicate, first)
    assert not failure_metrics.replicate_failed(task, replicate, changed(replicate, (_R.FAILED, None)))
    after = replicates("INPUT_FILES_DOWNLOAD_FAILED", "requester"), replicates("NONE", "worker")
    assert after == (before[0] + 1, before[1])


def test_progress_and_unneeded_attempts_are_no_failures(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task = make_task()
    for statuses in (
        [(_R.STARTING, None), (_R.COMPUTED, None)],
        [(_R.ABORTED, _C.CONSENSUS_REACHED)],
    ):
        replicate = make_replicate(task, "w")
        assert not failure_metrics.replicate_failed(task, replicate, changed(replicate, *statuses))


@pytest.mark.parametrize(
    ("status", "cause", "side"),
    [
        (TaskStatus.FAILED, _C.GET_TEE_SERVICES_CONFIGURATION_FAILED, "pool"),
        (TaskStatus.FAILED, _C.DATASET_FILE_BAD_CHECKSUM, "requester"),
        (TaskStatus.COMPLETED, _C.APP_COMPUTE_FAILED, "app"),
    ],
)
def test_a_task_counts_by_the_cause_that_ended_it(
    make_task: Callable[..., Task], status: TaskStatus, cause: _C, side: str
) -> None:
    task = make_task(status=status)
    task.error_cause = cause
    before = tasks(status, side)
    failure_metrics.task_ended(task, status)
    assert tasks(status, side) == before + 1


def test_a_task_without_an_error_result_is_no_failure(make_task: Callable[..., Task]) -> None:
    sides = ("app", "requester", "worker", "pool", "chain")
    before = [tasks(TaskStatus.COMPLETED, side) for side in sides]
    failure_metrics.task_ended(make_task(status=TaskStatus.COMPLETED), TaskStatus.COMPLETED)
    assert [tasks(TaskStatus.COMPLETED, side) for side in sides] == before


def test_a_failed_task_that_no_worker_took_is_the_fault_of_the_pool(make_task: Callable[..., Task]) -> None:
    before = tasks(TaskStatus.FAILED, "pool")
    failure_metrics.task_ended(make_task(status=TaskStatus.FAILED), TaskStatus.FAILED)
    assert tasks(TaskStatus.FAILED, "pool") == before + 1
