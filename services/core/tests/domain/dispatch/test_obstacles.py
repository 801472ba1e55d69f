"""What keeps each worker from a task: the first obstacle of the worker, the last one of the task."""

from collections.abc import Callable

import pytest
from workerpool_core.domain.dispatch.obstacles import PLAIN, Needs, Obstacle, Obstacles
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task
from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus

from services.core.tests.doubles.scripted_pool import GPU

AddWorker = Callable[..., LiveWorker]
AddTask = Callable[..., Task]


def try_task(task: Task, wallet: str, cause: ReplicateStatusCause | None = None) -> None:
    status = ReplicateStatus.COMPUTED if cause is not None else ReplicateStatus.STARTED
    change = ReplicateChange(status, 1.0, Modifier.WORKER, cause)
    task.replicates[wallet] = Replicate(task.task_id, wallet, 2, [change], exit_code=137)


def test_a_pool_without_workers_is_disconnected(context: EventContext, add_task: AddTask) -> None:
    blocked = Obstacles(context.state, context.now).of_task(add_task())
    assert (blocked.obstacle, blocked.workers, blocked.counts) == (
        Obstacle.DISCONNECTED,
        (),
        {"connected": 0},
    )


def test_a_worker_that_tried_a_task_counts_as_such_but_only_for_it(
    context: EventContext, add_worker: AddWorker, add_task: AddTask
) -> None:
    tried, other = add_task(1), add_task(2)
    add_worker("0xA")
    try_task(tried, "0xA")
    obstacles = Obstacles(context.state, context.now)
    assert obstacles.of_task(tried).counts == {"connected": 1, "tried": 1}
    assert obstacles.of_task(other).counts == {"connected": 1, "free": 1}


def test_a_disconnected_worker_that_tried_a_task_stays_disconnected(
    context: EventContext, add_worker: AddWorker, add_task: AddTask
) -> None:
    task = add_task()
    add_worker("0xA").session = None
    try_task(task, "0xA")
    assert Obstacles(context.state, context.now).of_task(task).obstacle is Obstacle.DISCONNECTED


def test_slots_like_one_whose_app_ran_out_of_memory_are_too_small(
    context: EventContext, add_worker: AddWorker, add_task: AddTask
) -> None:
    task = add_task()
    add_worker("0xA")
    add_worker("0xB")
    try_task(task, "0xA", ReplicateStatusCause.APP_OUT_OF_MEMORY)
    blocked = Obstacles(context.state, context.now).of_task(task)
    assert blocked.obstacle is Obstacle.TOO_SMALL
    assert [live.worker.wallet for live in blocked.workers] == ["0xB"]
    assert blocked.counts == {"connected": 2, "tried": 1, "too_small": 1}


@pytest.mark.parametrize(
    ("needs", "obstacle"),
    [
        (PLAIN, Obstacle.FREE),
        (Needs(GPU), Obstacle.WRONG_HARDWARE),
        (PLAIN._replace(worker_stake=7), Obstacle.WITHOUT_STAKE),
    ],
)
def test_needs_of_a_new_task(
    context: EventContext, add_worker: AddWorker, needs: Needs, obstacle: Obstacle
) -> None:
    add_worker("0xA")
    assert Obstacles(context.state, context.now).of_new_task(needs).obstacle is obstacle


def test_workers_are_looked_at_once_for_tasks_with_the_same_needs(
    context: EventContext, add_worker: AddWorker, add_task: AddTask
) -> None:
    obstacles = Obstacles(context.state, context.now)
    add_worker("0xA")
    assert obstacles.of_task(add_task(1)).obstacle is Obstacle.FREE
    add_worker("0xB")
    assert obstacles.of_task(add_task(2)).counts["connected"] == 1
    assert obstacles.of_task(add_task(3, tag=GPU)).counts["connected"] == 2
