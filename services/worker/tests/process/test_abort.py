"""ABORT frees the slot without waiting for the app, its archive or its pull, in every stage that uses a slot."""

import socket
import time
from typing import Any

import pytest
from workerpool_protocol.core.v1 import statuses_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.harness.fixtures import ContainersOf
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e

BIG = (
    "/bin/sh -c 'head -c 900000000 /dev/zero > /iexec_out/r; "
    """echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > /iexec_out/computed.json'"""
)
DEAF = "/bin/sh -c 'trap : TERM INT; echo up; while true; do sleep 1; done'"
MANY = "/bin/sh -c 'cd /iexec_out; for i in $(yes | head -n 20000); do n=$((n+1)); : > $n; done; echo up; sleep 600'"


@pytest.mark.parametrize(
    ("command_line", "event"),
    [
        pytest.param(DEAF, "up", id="an app that ignores signals"),
        pytest.param(BIG, "app.ended", id="post-compute-long"),
        pytest.param(MANY, "up", id="an app with many files"),
    ],
)
async def test_abort_frees_the_slot_in_seconds(
    pool: Pool,
    connected: WorkerProcess,
    eventually: Eventually,
    containers_of: ContainersOf,
    command_line: str,
    event: str,
) -> None:
    """Scenario 16: an app that ignores every signal is stopped before ABORTED is sent."""
    task_id = await pool.assigned(command_line, max_execution_s=120)
    await eventually(lambda: event in connected.log or event in pool.core.output(task_id))
    await aborted_quickly(pool, connected, task_id)
    assert not containers_of(pool.worker.address)


async def test_abort_ends_a_pull_that_hangs(pool: Pool, connected: WorkerProcess) -> None:
    """Scenario 11: a pull that is interrupted."""
    with socket.socket() as registry:
        registry.bind(("127.0.0.1", 0))
        registry.listen()
        image = f"127.0.0.1:{registry.getsockname()[1]}/app:1"
        task_id = await pool.assigned(pool.hello_app, image=image)
        await pool.core.status(task_id, "APP_DOWNLOADING")
        await aborted_quickly(pool, connected, task_id)


async def aborted_quickly(pool: Pool, worker: WorkerProcess, task_id: Any) -> None:
    began = time.monotonic()
    pool.core.command(task_id, pb.ACTION_ABORT, cause=statuses_pb2.REPLICATE_STATUS_CAUSE_CONSENSUS_REACHED)
    await pool.core.status(task_id, "ABORTED")
    # The report includes the removal of the container and, for at most two seconds, that of the files. What it must not
    # wait for takes at least ten seconds: the engine's patient stop, the app, the pull.
    assert time.monotonic() - began < worker.within(8)
    await pool.core.heartbeat(free_slots=2)
