"""The view of the pool: the age of its queue, and what metrics tell of each worker."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from workerpool_core.app.queries.pool_view import LISTED_S, PoolView
from workerpool_core.domain.live import LiveWorker, WorkerSession
from workerpool_core.domain.model import Task, TaskChange, Worker
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_poco.protocol.statuses import TaskStatus

NOW = 1_700_000_100.5


def view(tasks: list[Task] | None = None, workers: list[LiveWorker] | None = None) -> PoolView:
    engine: Any = SimpleNamespace(
        tasks={task.task_id: task for task in tasks or ()},
        workers={live.worker.wallet: live for live in workers or ()},
        queued_tasks=0,
        waiting_tasks=0,
        explain=lambda: SimpleNamespace(pool=list),
    )
    follower: Any = SimpleNamespace(position=SimpleNamespace(number=7), deals_seen=0, latest_deal_block=0)
    heads: Any = SimpleNamespace(latest=None)
    return PoolView(engine, follower, heads, FakeClock(NOW), Address("0x12"), {})


def test_the_oldest_task_without_a_worker_gives_the_age_of_the_queue(make_task: Callable[..., Task]) -> None:
    assert view().summary().queue_oldest_s == 0
    waiting = [make_task(number, status=TaskStatus.INITIALIZED) for number in (1, 2)]
    waiting[1].history.append(TaskChange(TaskStatus.INITIALIZED, NOW - 3))
    running = make_task(3, status=TaskStatus.RUNNING)
    running.history[0] = TaskChange(TaskStatus.RUNNING, NOW - 5000)
    assert view([*waiting, running]).summary().queue_oldest_s == 100


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        ("disconnected", {"session": None}),
        ("quarantined", {"quarantined_until": NOW + 1}),
        ("quarantined", {"suspended_until": NOW + 1}),
        ("drained", {"drained_until": NOW + 1}),
        ("parked", {"parked_reason": "a full disk"}),
        ("busy", {"computing": {TaskId("0x1")}}),
        ("idle", {"quarantined_until": NOW - 1}),
    ],
)
def test_a_worker_has_one_state(worker: Worker, state: str, fields: dict[str, Any]) -> None:
    live = LiveWorker(replace(worker, last_seen=NOW), session=WorkerSession("s"))
    for name, value in fields.items():
        setattr(live if hasattr(live, name) else live.worker, name, value)
    (sample,) = view(workers=[live]).worker_samples()
    assert (sample.state, sample.slots, sample.busy_slots) == (state, 4, len(live.computing))
    assert (sample.name, sample.seen) == ("one", NOW)


def test_a_worker_of_long_ago_is_not_told(worker: Worker) -> None:
    gone = LiveWorker(replace(worker, last_seen=NOW - LISTED_S))
    assert view(workers=[gone]).worker_samples() == []


def test_a_worker_is_reported_with_its_tally(worker: Worker) -> None:
    pool = view(workers=[LiveWorker(replace(worker, last_seen=NOW))])
    pool.tally.completed[worker.wallet] += 2
    pool.tally.failed[worker.wallet] += 1
    (sample,) = pool.worker_samples()
    assert (sample.completed, sample.failed) == (2, 1)
