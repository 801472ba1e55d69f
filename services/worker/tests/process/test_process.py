"""The worker process: one complete task, kill -9 at every stage, a quiet stop."""

import io
import json
import zipfile

import pytest
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.harness.fixtures import ContainersOf
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e


async def finish(pool: Pool, task_id: TaskId) -> None:
    """Command everything after the contribution: reveal, upload, finalize, complete."""
    core = pool.core
    contributed = await core.status(task_id, "CONTRIBUTED")
    core.command(task_id, pb.ACTION_REVEAL, block=contributed.details.chain_receipt.block_number)
    await core.status(task_id, "REVEALED")
    core.command(task_id, pb.ACTION_UPLOAD)
    uploaded = await core.status(task_id, "RESULT_UPLOADED")
    link = uploaded.details.result_link
    await pool.execute(calls.finalize(task_id, link.encode()))
    core.command(task_id, pb.ACTION_COMPLETE)
    await core.status(task_id, "COMPLETED")


async def test_a_standard_task_runs_from_assignment_to_completed(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    assignment = await pool.task()
    task_id = TaskId(assignment.task.task_id)
    worker.start()
    core = pool.core
    await eventually(lambda: core.connected)
    core.assign(assignment)
    await finish(pool, task_id)

    assert core.statuses(task_id) == [
        "STARTING", "STARTED", "APP_DOWNLOADING", "APP_DOWNLOADED", "DATA_DOWNLOADING", "DATA_DOWNLOADED",
        "COMPUTING", "COMPUTED", "CONTRIBUTING", "CONTRIBUTED", "REVEALING", "REVEALED",
        "RESULT_UPLOADING", "RESULT_UPLOADED", "COMPLETING", "COMPLETED",
    ]  # fmt: skip
    computed = (await core.status(task_id, "COMPUTED")).details
    assert (computed.exit_code, computed.stdout, computed.stderr) == (0, "said\n", "")
    chain_task = await pool.hub.view_task(task_id)
    assert chain_task.status is ChainTaskStatus.COMPLETED
    assert "0x" + chain_task.result_digest.hex() == pool.hello_digest
    with zipfile.ZipFile(io.BytesIO(pool.results.archives[task_id])) as archive:
        assert sorted(archive.namelist()) == ["computed.json", "result.txt", "stdout.txt"]
        assert archive.read("result.txt") == b"hello"
    assert worker.stop() == 0
    assert not (worker.folder / task_id).exists()


@pytest.mark.parametrize(
    "after", ["STARTED", "COMPUTING", "COMPUTED", "CONTRIBUTING", "CONTRIBUTED", "REVEALING", "REVEALED"]
)
async def test_kill_9_after_any_status_loses_and_repeats_nothing(
    pool: Pool, worker: WorkerProcess, containers_of: ContainersOf, eventually: Eventually, after: str
) -> None:
    """Scenario 9: a task with a result is revealed and uploaded after the restart, one without continues."""
    assignment = await pool.task(pool.hello_app.replace("/bin/sh -c '", "/bin/sh -c 'sleep 1; "))
    task_id = TaskId(assignment.task.task_id)
    core = pool.core
    worker.start()
    await eventually(lambda: core.connected)
    core.assign(assignment)
    if after.startswith("REVEAL"):
        contributed = await core.status(task_id, "CONTRIBUTED")
        core.command(task_id, pb.ACTION_REVEAL, block=contributed.details.chain_receipt.block_number)
    await core.status(task_id, after)
    worker.kill()
    await eventually(lambda: not core.connected)
    worker.start()
    await eventually(lambda: core.connected)
    assert [held.task_id for held in core.hellos[-1].held] == [task_id]

    await finish(pool, task_id) if not after.startswith("REVEAL") else await finish_revealed(pool, task_id)
    assert (await pool.contribution(task_id)).status is ContributionStatus.PROVED
    statuses = core.statuses(task_id)
    assert statuses.count("CONTRIBUTED") == statuses.count("COMPUTED") == statuses.count("REVEALED") == 1
    await eventually(lambda: not containers_of(pool.worker.address))


async def test_an_app_that_ended_with_its_host_is_run_again(
    pool: Pool, worker: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    """A restart of the host or the engine ends worker and app, which is no failure of the app."""
    assignment = await pool.task(pool.hello_app.replace("/bin/sh -c '", "/bin/sh -c 'sleep 2; "))
    task_id = TaskId(assignment.task.task_id)
    worker.start()
    await eventually(lambda: pool.core.connected)
    pool.core.assign(assignment)
    await eventually(lambda: [c for c in containers_of(pool.worker.address) if c.status == "running"])
    (before,) = containers_of(pool.worker.address)
    worker.kill()
    before.kill()
    worker.start()
    computed = await pool.core.status(task_id, "COMPUTED")
    assert computed.details.exit_code == 0
    assert "app.restarted" in worker.log
    await finish(pool, task_id)
    assert pool.core.statuses(task_id).count("COMPUTING") == 1
    await eventually(lambda: not containers_of(pool.worker.address))


def troubles(log: str) -> list[str]:
    """Return the warnings, errors and traceback lines of a worker's log."""
    return [
        line
        for line in log.splitlines()
        if not line.startswith("{") or json.loads(line)["level"] not in ("info", "debug")
    ]


async def test_a_stop_logs_no_warning_while_an_app_runs(
    pool: Pool, worker: WorkerProcess, containers_of: ContainersOf, eventually: Eventually
) -> None:
    worker.start()
    await eventually(lambda: pool.core.connected)
    pool.core.assign(await pool.task("/bin/sh -c 'sleep 600'"))
    await eventually(lambda: [c for c in containers_of(pool.worker.address) if c.status == "running"])
    assert worker.stop() == 0
    assert "process.ended" in worker.log
    assert troubles(worker.log) == []


async def finish_revealed(pool: Pool, task_id: TaskId) -> None:
    """Command everything after the reveal."""
    core = pool.core
    await core.status(task_id, "REVEALED")
    core.command(task_id, pb.ACTION_UPLOAD)
    uploaded = await core.status(task_id, "RESULT_UPLOADED")
    await pool.execute(calls.finalize(task_id, uploaded.details.result_link.encode()))
    core.command(task_id, pb.ACTION_COMPLETE)
    await core.status(task_id, "COMPLETED")
