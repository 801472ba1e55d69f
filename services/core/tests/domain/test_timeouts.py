"""Timers of the same task or worker are independent, and a restart sets them again."""

import pytest
from workerpool_core.domain import events as e
from workerpool_core.domain import timeouts
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.timers import Timeout
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.scripted_pool import TO_COMPUTED, ScriptedPool

T = 300


def test_s15_each_silent_replicate_is_replaced_after_its_own_category_time(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready(trust=3)
    pool.report(1, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING)
    pool.live(T / 2, 1)
    pool.connect(2)
    pool.connect(3)
    pool.report(2, task, R.STARTING, R.STARTED, R.APP_DOWNLOADING)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]
    pool.live(T / 2 - 1, 1, 2, 3)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]
    pool.live(1, 1, 2, 3)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2", "0xWorker3"]


def test_s15_a_silent_replicate_is_replaced_in_time_after_a_restart(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, *TO_COMPUTED[:-1])
    pool.restart()
    pool.connect(1, held=(e.HeldReplicate(task, R.COMPUTING, False, 0),))
    pool.connect(2)
    pool.live(T - 1, 1, 2)
    assert pool.assigned(task) == ["0xWorker1"]
    pool.live(1, 1, 2)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def about_to_fail(pool: ScriptedPool) -> list[TaskId]:
    """Return tasks of one worker that are about to fail; together they cause a quarantine."""
    pool.connect(1, slots=pool.policy.quarantine_after)
    tasks = [pool.ready() for _ in range(pool.policy.quarantine_after)]
    for task in tasks:
        pool.report(1, task, R.STARTING)
    return tasks


def fail_all(pool: ScriptedPool, tasks: list[TaskId]) -> float:
    """Fail the tasks; return the end of the quarantine."""
    for task in tasks:
        pool.report(1, task, R.START_FAILED)
    return pool.scheduler.workers["0xWorker1"].worker.quarantined_until


def is_assigned_exactly_at(pool: ScriptedPool, end: float) -> bool:
    """Return whether a waiting task is assigned at a time and not a second before."""
    task = pool.ready()
    pool.live(end - 1 - pool.now, 1)
    before = pool.assigned(task)
    pool.live(1, 1)
    return (before, pool.assigned(task)) == ([], ["0xWorker1"])


def test_a_quarantine_does_not_hide_the_end_of_a_drain(pool: ScriptedPool) -> None:
    tasks = about_to_fail(pool)
    pool.handle(e.WorkerDrained("0xWorker1", pool.now + 600))
    assert fail_all(pool, tasks) < pool.now + 600
    assert is_assigned_exactly_at(pool, pool.now + 600)


def test_a_drain_does_not_hide_the_end_of_a_quarantine(pool: ScriptedPool) -> None:
    over = fail_all(pool, about_to_fail(pool))
    pool.handle(e.WorkerDrained("0xWorker1", pool.now + 10))
    assert is_assigned_exactly_at(pool, over)


def test_drain_and_quarantine_end_in_time_after_a_restart(pool: ScriptedPool) -> None:
    tasks = about_to_fail(pool)
    pool.handle(e.WorkerDrained("0xWorker1", pool.now + 600))
    fail_all(pool, tasks)
    pool.restart()
    pool.connect(1)
    assert is_assigned_exactly_at(pool, pool.now + 600)


@pytest.mark.parametrize("timeout", [t for t in Timeout if t not in (Timeout.LIVENESS, Timeout.PAUSE)])
def test_a_timer_of_a_task_that_was_evicted_has_no_effect(context: EventContext, timeout: Timeout) -> None:
    timeouts.fire(context, (timeout, "0xunknown", ""))
    assert (context.writes, context.effects) == ([], [])
