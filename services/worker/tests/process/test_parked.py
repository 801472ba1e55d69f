"""A worker whose host cannot work at the start: it connects, says why it takes no work, and begins by itself."""

import asyncio
from pathlib import Path

import pytest
from relays import DOCKER_ENGINE, Relay

from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e


async def test_a_worker_computes_once_its_engine_answers(
    pool: Pool, worker: WorkerProcess, eventually: Eventually, tmp_path: Path
) -> None:
    socket = tmp_path / "engine.sock"
    worker.start(DOCKER_HOST=f"unix://{socket}")
    await eventually(lambda: pool.core.connected)
    refusal = pool.core.hellos[0].availability.refusal
    assert refusal.startswith("docker: the Docker engine does not answer")
    assert "start Docker" in refusal
    await pool.core.heartbeat(free_slots=0)
    async with Relay(socket, DOCKER_ENGINE).running():
        await eventually(lambda: "" in pool.core.refusals)
        await pool.core.heartbeat(free_slots=2)
        task_id = await pool.assigned()
        await pool.core.status(task_id, "CONTRIBUTED")
        # In a thread: the relay runs in this loop, and the worker needs its engine to the end.
        assert await asyncio.to_thread(worker.stop) == 0
