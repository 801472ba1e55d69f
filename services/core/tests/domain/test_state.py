"""The memory is loaded from a snapshot, and an evicted task leaves nothing in it."""

from collections.abc import Callable
from random import Random

import pytest
from workerpool_core.domain import transitions
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Action, Command, Task, Worker, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.snapshot import Snapshot
from workerpool_core.domain.state import State, TaskView
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus

R = ReplicateStatus
WORKER = Worker("0xW", WorkerModel("w", "1", "linux", "x86", 2, 1 << 33), 1.0, 1.0)


def test_a_snapshot_restores_commands_and_their_highest_sequence() -> None:
    commands = tuple(Command("0xW", sequence, TaskId("0x1"), Action.REVEAL) for sequence in (7, 3))
    state = State(Policy(), Random(1))
    state.load(Snapshot(workers=(WORKER,), commands=commands, head=9))
    assert sorted(state.workers["0xW"].commands) == [3, 7]
    assert state.workers["0xW"].last_command_sequence == 7
    assert state.head == 9


def test_a_command_of_an_unknown_worker_is_ignored() -> None:
    state = State(Policy(), Random(1))
    state.load(Snapshot(commands=(Command("0xW", 1, TaskId("0x1"), Action.REVEAL),)))
    assert state.workers == {}


def test_a_replicate_holds_a_slot_until_computed_and_its_task_until_it_ends(
    context: EventContext, add_task: Callable[..., Task], add_worker: Callable[..., LiveWorker]
) -> None:
    task, worker = add_task(), add_worker()
    replicate = transitions.create_replicate(context, task, "0xW", 2)
    assert (worker.held, worker.computing) == ({task.task_id}, {task.task_id})
    for status in (R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOADED):
        transitions.move_replicate(context, replicate, status)
    assert worker.computing == {task.task_id}
    transitions.move_replicate(context, replicate, R.ABORTED)
    assert (worker.held, worker.computing) == ({task.task_id}, set())
    transitions.move_replicate(context, replicate, R.FAILED)
    assert (worker.held, worker.computing) == (set(), set())


def test_an_evicted_task_leaves_no_entry_in_any_index(
    context: EventContext, add_task: Callable[..., Task], add_worker: Callable[..., LiveWorker]
) -> None:
    state, task, worker = context.state, add_task(), add_worker()
    transitions.create_replicate(context, task, "0xW", 2)
    state.waiting.add(task)
    context.note_unfollowed(task, block=9)
    state.evict(task)
    assert (state.tasks, state.unfollowed, worker.held, worker.computing) == ({}, {}, set(), set())
    assert task.task_id not in state.waiting


def test_the_view_of_the_tasks_follows_the_state(
    context: EventContext, add_task: Callable[..., Task]
) -> None:
    view = TaskView(context.state.tasks)
    task = add_task()
    assert (dict(view), len(view), task.task_id in view) == ({task.task_id: task}, 1, True)
    context.state.evict(task)
    assert task.task_id not in view
    with pytest.raises(KeyError):
        view[task.task_id]
