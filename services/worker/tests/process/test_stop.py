"""SIGTERM ends the worker in time, whatever it does."""

import asyncio
import time
from pathlib import Path

import pytest
from relays import DOCKER_ENGINE, Relay
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e

STOP_S = 15.0
"""Less than the 25 s after which the process is ended by force, and than what the apps take."""
BIG = (
    "/bin/sh -c 'head -c 900000000 /dev/zero > /iexec_out/r; "
    """echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > /iexec_out/computed.json'"""
)


@pytest.mark.parametrize(
    ("command_line", "event"),
    [
        pytest.param(BIG, "app.ended", id="post-compute"),
        pytest.param("/bin/sh -c 'trap : TERM; sleep 600'", "COMPUTING", id="app-time-limit"),
        pytest.param("/bin/sh -c 'exit 3'", "replicate.error_result_made", id="app-exit-3"),
    ],
)
async def test_sigterm_ends_the_worker_in_time(
    pool: Pool, connected: WorkerProcess, eventually: Eventually, command_line: str, event: str
) -> None:
    await pool.assigned(command_line, max_execution_s=120)
    await eventually(lambda: event in connected.log)
    began = time.monotonic()
    assert connected.stop() == 0
    assert time.monotonic() - began < connected.within(STOP_S)


async def test_sigterm_ends_a_worker_whose_engine_hangs(
    pool: Pool, worker: WorkerProcess, eventually: Eventually, tmp_path: Path
) -> None:
    socket = tmp_path / "engine.sock"
    async with Relay(socket, DOCKER_ENGINE).running() as engine:
        began = time.monotonic()
        worker.start(DOCKER_HOST=f"unix://{socket}")
        await eventually(lambda: pool.core.connected)
        worker.start_s = time.monotonic() - began
        task_id = await pool.assigned("/bin/sh -c 'echo up; sleep 600'", max_execution_s=120)
        await eventually(lambda: "up" in pool.core.output(task_id))
        engine.hang()
        pool.core.command(task_id, pb.ACTION_ABORT)
        await eventually(lambda: "command.accepted" in worker.log)
        began = time.monotonic()
        await asyncio.to_thread(worker.stop)
        assert time.monotonic() - began < worker.within(STOP_S)
