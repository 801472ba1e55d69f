"""Restarts and outages in the middle of a task, on the real engine and the real contracts."""

from pathlib import Path

import grpc
import pytest
from relays import DOCKER_ENGINE, Relay
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.doubles.core_peer import cause_of
from services.worker.tests.harness.builders import OTHER_TASK_ID
from services.worker.tests.harness.fixtures import ContainersOf
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e

DOWN = (grpc.StatusCode.UNAVAILABLE, "down")


async def test_a_restart_resumes_what_has_a_result_and_purges_the_rest(
    pool: Pool, connected: WorkerProcess, eventually: Eventually
) -> None:
    """Scenario 9: reveal and upload continue, a lost archive is reported, the folder of an unknown task is purged."""
    core = pool.core
    assignments = await pool.bag(2)
    uploading, losing = (each.task.task_id for each in assignments)
    core.assign(*assignments)
    blocks = {}
    for task_id in (uploading, losing):
        contributed = await core.status(task_id, "CONTRIBUTED")
        blocks[task_id] = contributed.details.chain_receipt.block_number
    pool.results.failures = [DOWN] * 1_000
    core.command(uploading, pb.ACTION_REVEAL, block=blocks[uploading])
    await core.status(uploading, "REVEALED")
    core.command(uploading, pb.ACTION_UPLOAD)
    await core.status(uploading, "RESULT_UPLOADING")
    connected.kill()
    pool.results.failures = []
    (connected.folder / losing / "output" / "iexec_out.zip").unlink()
    unknown = connected.folder / OTHER_TASK_ID
    (unknown / "output" / "iexec_out").mkdir(parents=True)

    connected.start()
    await core.status(uploading, "RESULT_UPLOADED")
    await eventually(lambda: core.connected)
    assert not unknown.exists()
    core.command(losing, pb.ACTION_REVEAL, block=blocks[losing])
    await core.status(losing, "REVEALED")
    core.command(losing, pb.ACTION_UPLOAD)
    assert cause_of(await core.status(losing, "RESULT_UPLOAD_FAILED")) == "RESULT_LINK_MISSING"


async def test_an_abort_is_reported_only_once_the_container_is_gone(
    pool: Pool,
    worker: WorkerProcess,
    containers_of: ContainersOf,
    eventually: Eventually,
    tmp_path: Path,
) -> None:
    """Scenario 16: a container that cannot be stopped keeps ABORTED back, and its slot."""
    core, socket = pool.core, tmp_path / "engine.sock"
    async with Relay(socket, DOCKER_ENGINE).running() as engine:
        worker.start(DOCKER_HOST=f"unix://{socket}")
        await eventually(lambda: core.connected)
        task_id = await pool.assigned("/bin/sh -c 'echo up; sleep 600'", max_execution_s=120)
        await eventually(lambda: "up" in core.output(task_id))
        await engine.cut()
        core.command(task_id, pb.ACTION_ABORT)
        await eventually(lambda: "remove the containers" in worker.log)
        beats = len(core.heartbeats)
        await eventually(lambda: len(core.heartbeats) > beats + 3)
        assert "ABORTED" not in core.statuses(task_id)
        assert len(containers_of(pool.worker.address, task_id)) == 1
        await engine.start()
        await core.status(task_id, "ABORTED")
        assert not containers_of(pool.worker.address, task_id)
