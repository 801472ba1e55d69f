"""Three ways to end a worker: drained, for good, and to be back soon."""

import asyncio

import pytest

from services.worker.tests.harness.fixtures import ContainersOf
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.poolworker import poolworker
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess
from services.worker.tests.process.test_process import finish

pytestmark = pytest.mark.e2e

SLEEP = "/bin/sh -c 'sleep 100'"


async def test_a_drained_worker_finishes_what_it_holds_takes_nothing_new_and_stops(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    task_id = await pool.assigned(pool.hello_app.replace("/bin/sh -c '", "/bin/sh -c 'sleep 3; "))
    await pool.core.status(task_id, "COMPUTING")
    draining = asyncio.create_task(poolworker(connected.environment, "drain"))
    await eventually(lambda: pool.core.refusals)
    assert "drains" in pool.core.refusals[-1]
    await finish(pool, task_id)
    answer = await draining
    assert answer.code == 0, answer.errors
    assert await connected.exit_code() == 0
    (leave,) = pool.core.leaves
    assert leave.return_within.seconds == 0


async def test_a_worker_that_leaves_for_good_hands_over_what_it_computes(
    pool: Pool, worker: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    worker.start(WORKERPOOL_WORKER_RETURN_WITHIN="PT0S")
    await eventually(lambda: pool.core.connected)
    task_id = await pool.assigned(SLEEP, max_execution_s=120)
    await eventually(lambda: [c for c in containers_of(pool.worker.address) if c.status == "running"])
    assert await asyncio.to_thread(worker.stop, 25) == 0
    assert [leave.return_within.seconds for leave in pool.core.leaves] == [0]
    assert not containers_of(pool.worker.address, task_id)
    assert not (worker.folder / task_id).exists()
    worker.start()
    await eventually(lambda: len(pool.core.hellos) == 2)
    assert list(pool.core.hellos[-1].held) == []


async def test_a_worker_that_is_upgraded_says_when_it_is_back_and_keeps_its_apps(
    pool: Pool, connected: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    task_id = await pool.assigned(SLEEP, max_execution_s=120)
    await eventually(lambda: [c for c in containers_of(pool.worker.address) if c.status == "running"])
    answer = await poolworker(connected.environment, "stop", "--return-within", "PT10M")
    assert answer.code == 0, answer.errors
    assert await connected.exit_code() == 0
    assert [leave.return_within.seconds for leave in pool.core.leaves] == [600]
    assert [c.status for c in containers_of(pool.worker.address, task_id)] == ["running"]
    connected.start()
    await eventually(lambda: len(pool.core.hellos) == 2)
    assert [held.task_id for held in pool.core.hellos[-1].held] == [task_id]


async def test_a_signal_means_a_restart_by_default(pool: Pool, connected: WorkerProcess) -> None:
    assert await asyncio.to_thread(connected.stop) == 0
    assert [leave.return_within.seconds for leave in pool.core.leaves] == [60]


@pytest.mark.parametrize("command", ["drain", "stop"])
async def test_a_worker_that_does_not_run_cannot_be_ended(
    pool: Pool, worker: WorkerProcess, command: str
) -> None:
    answer = await poolworker(worker.environment, command)
    assert answer.code == 3
    assert "no worker runs" in answer.errors
