"""Every change of the memory records one write, and illegal changes raise."""

from collections.abc import Callable

import pytest
from workerpool_core.domain import transitions
from workerpool_core.domain.decisions import ReplicateChanged, TaskChanged, WorkerSaved
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Receipt, Task
from workerpool_core.domain.replicates.replicate_machine import IllegalReplicateTransition
from workerpool_core.domain.tasks.task_machine import IllegalTaskTransition
from workerpool_core.domain.timers import Timeout
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

R = ReplicateStatus
T = TaskStatus


def test_consecutive_changes_of_one_task_are_one_write(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    transitions.move_task(context, task, T.CONSENSUS_REACHED, receipt=Receipt(7), consensus="0xaa")
    transitions.update_task(context, task, winner_count=2)
    (write,) = context.writes
    assert isinstance(write, TaskChanged)
    assert (write.expected, [change.status for change in write.changes]) == (T.RUNNING, [T.CONSENSUS_REACHED])
    assert write.fields == {"consensus": "0xaa", "winner_count": 2}
    assert list(context.tasks_to_advance) == list(context.changed_tasks) == [task.task_id]


def test_the_receipt_belongs_to_the_last_of_several_statuses(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    transitions.move_task(context, task, T.FINALIZED, T.COMPLETED, receipt=Receipt(7))
    assert [change.receipt for change in task.history[1:]] == [None, Receipt(7)]


def test_an_illegal_task_transition_raises_and_changes_nothing(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    task = add_task()
    with pytest.raises(IllegalTaskTransition, match="RUNNING -> COMPLETED"):
        transitions.move_task(context, task, T.COMPLETED)
    assert (task.status, context.writes) == (T.RUNNING, [])


def test_fields_with_their_present_values_are_not_written(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    transitions.update_task(context, add_task(), uploader="")
    assert (context.writes, context.changed_tasks) == ([], {})


def test_a_status_is_recorded_once_per_replicate(
    context: EventContext, add_task: Callable[..., Task], add_worker: Callable[..., LiveWorker]
) -> None:
    add_worker()
    replicate = transitions.create_replicate(context, add_task(), "0xW", 2)
    transitions.move_replicate(context, replicate, R.WORKER_LOST)
    transitions.move_replicate(context, replicate, R.STARTING)
    with pytest.raises(IllegalReplicateTransition, match="STARTING -> WORKER_LOST"):
        transitions.move_replicate(context, replicate, R.WORKER_LOST)


def test_the_first_status_cancels_the_resend_of_the_assignment(
    context: EventContext, add_task: Callable[..., Task], add_worker: Callable[..., LiveWorker]
) -> None:
    add_worker()
    task = add_task()
    replicate = transitions.create_replicate(context, task, "0xW", 2)
    assert context.state.timers.is_set(Timeout.ASSIGNMENT, task.task_id, "0xW")
    transitions.move_replicate(context, replicate, R.STARTING)
    assert not context.state.timers.is_set(Timeout.ASSIGNMENT, task.task_id, "0xW")


def test_progress_of_a_computation_neither_matches_nor_advances_a_running_task(
    context: EventContext, add_task: Callable[..., Task], add_worker: Callable[..., LiveWorker]
) -> None:
    add_worker()
    task = add_task()
    replicate = transitions.create_replicate(context, task, "0xW", 2)
    context.tasks_to_advance.clear()
    transitions.move_replicate(context, replicate, R.STARTING)
    assert (context.tasks_to_match, context.tasks_to_advance) == ({}, {})
    transitions.move_replicate(context, replicate, R.FAILED)
    assert list(context.tasks_to_match) == list(context.tasks_to_advance) == [task.task_id]
    assert list(context.workers_to_match) == ["0xW"]
    assert isinstance(context.writes[-1], ReplicateChanged)


def test_a_saved_worker_is_a_copy(context: EventContext, add_worker: Callable[..., LiveWorker]) -> None:
    worker = add_worker().worker
    transitions.save_worker(context, worker)
    worker.consecutive_failures = 3
    (write,) = context.writes
    assert isinstance(write, WorkerSaved)
    assert write.worker.consecutive_failures == 0
