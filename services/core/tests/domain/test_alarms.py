"""No alarm takes the place of another one, and a restart sets them all again."""

from workerpool_core.domain import events as e
from workerpool_poco.protocol.statuses import ReplicateStatus as R

T = 300


def test_s15_each_silent_replicate_is_replaced_after_its_own_t(pool):
    pool.connect(1)
    task = pool.ready(trust=3)
    pool.live(T / 2, 1)
    pool.connect(2)
    pool.connect(3)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]
    pool.live(T / 2 - 1, 1, 2, 3)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]
    pool.live(1, 1, 2, 3)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2", "0xWorker3"]


def test_s15_a_silent_replicate_is_replaced_after_t_although_core_was_restarted(pool):
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.STARTED)
    pool.restart()
    pool.connect(1, held=(e.HeldReplicate(task, R.STARTED, False, 0),))
    pool.connect(2)
    pool.live(T - 1, 1, 2)
    assert pool.assigned(task) == ["0xWorker1"]
    pool.live(1, 1, 2)
    assert pool.assigned(task) == ["0xWorker1", "0xWorker2"]


def failing(pool) -> list[str]:
    """Tasks of a worker, each about to fail; together they are enough for a quarantine."""
    pool.connect(1, slots=pool.policy.quarantine_after)
    tasks = [pool.ready() for _ in range(pool.policy.quarantine_after)]
    for task in tasks:
        pool.report(1, task, R.STARTING)
    return tasks


def fails(pool, tasks: list[str]) -> float:
    """Returns when the worker may work again."""
    for task in tasks:
        pool.report(1, task, R.START_FAILED)
    return pool.scheduler.workers["0xWorker1"].worker.quarantined_until


def gets_work_at(pool, end: float) -> bool:
    """Whether a waiting task is handed out at a time and not a second before."""
    task = pool.ready()
    pool.live(end - 1 - pool.now, 1)
    before = pool.assigned(task)
    pool.live(1, 1)
    return (before, pool.assigned(task)) == ([], ["0xWorker1"])


def test_a_quarantine_does_not_hide_the_end_of_a_drain(pool):
    tasks = failing(pool)
    pool.handle(e.WorkerDrained("0xWorker1", pool.now + 600))
    assert fails(pool, tasks) < pool.now + 600
    assert gets_work_at(pool, pool.now + 600)


def test_a_drain_does_not_hide_the_end_of_a_quarantine(pool):
    over = fails(pool, failing(pool))
    pool.handle(e.WorkerDrained("0xWorker1", pool.now + 10))
    assert gets_work_at(pool, over)


def test_after_a_restart_both_pauses_end_in_time(pool):
    tasks = failing(pool)
    pool.handle(e.WorkerDrained("0xWorker1", pool.now + 600))
    fails(pool, tasks)
    pool.restart()
    pool.connect(1)
    assert gets_work_at(pool, pool.now + 600)
