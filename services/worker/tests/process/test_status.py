"""`poolworker status`, `stake`, `withdraw` and `clean` beside a real worker, chain and engine."""

import asyncio
import time

import pytest
from workerpool_poco.protocol.contracts import calls
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

from services.worker.tests.harness.fixtures import ContainersOf
from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.poolworker import poolworker
from services.worker.tests.harness.waiting import Eventually
from services.worker.tests.harness.worker_process import WorkerProcess

pytestmark = pytest.mark.e2e

RLC = 10**9
LIMIT_S = 90.0
"""The engine needs half a minute for a container on a machine that is busy with other tests."""


async def test_status_shows_a_worker_from_its_start_to_its_payment(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    stopped = await poolworker(worker.environment, "status", "--json")
    assert (stopped.code, stopped.document["pid"]) == (3, None)
    assert "does not run" in stopped.document["no_work"]

    worker.start()
    await eventually(lambda: pool.core.connected, LIMIT_S)
    pool.core.pool.workers[pool.worker.address] = pool_service_pb2.GetWorkerResponse(
        worker=pool_service_pb2.Worker(connected=True, slots=2, used_slots=1), idle_reason="No task waits."
    )
    gate = "/bin/sh -c 'while [ ! -e /iexec_in/go ]; do sleep 1; done; "
    task_id = await pool.assigned(pool.hello_app.replace("/bin/sh -c '", gate), max_execution_s=240)
    await pool.core.status(task_id, "COMPUTING", LIMIT_S)
    began = time.monotonic()
    busy = await poolworker(worker.environment, "status", "--json")
    took = time.monotonic() - began
    assert busy.code == 0, busy.errors
    report = busy.document
    assert report["pid"] == worker.running.pid
    (held,) = report["replicates"]
    assert (held["task_id"], held["status"], held["stage"]) == (task_id, "COMPUTING", "COMPUTE")
    assert abs(time.time() - held["since"]) < 30 + took
    assert (report["slots"], report["used_slots"], report["connected"]) == (2, 1, True)
    assert report["stake"] > 0
    assert report["transactions_left"] > 0
    assert report["no_work"] == "No task waits."
    assert report["unread"] == []

    (worker.folder / task_id / "input" / "go").touch()
    contributed = await pool.core.status(task_id, "CONTRIBUTED", LIMIT_S)
    pending = (await poolworker(worker.environment, "status")).text
    assert "for 1 contributions that are not paid yet" in pending
    assert f"{task_id}  CONTRIBUTED" in pending
    pool.core.command(task_id, pb.ACTION_REVEAL, block=contributed.details.chain_receipt.block_number)
    await pool.core.status(task_id, "REVEALED", LIMIT_S)
    await pool.execute(calls.finalize(task_id, b"{}"))
    paid = (await poolworker(worker.environment, "status", "--json")).document
    assert (paid["earned"]["tasks"], paid["earned"]["faults"]) == (1, 0)


async def test_status_shows_the_problems_of_the_workers_health(
    pool: Pool, worker: WorkerProcess, eventually: Eventually
) -> None:
    worker.start()
    await eventually(lambda: pool.core.connected, LIMIT_S)
    await pool.core.stop()

    async def told() -> bool:
        answer = await poolworker(worker.environment, "status", "--json")
        return "core:" in answer.document["no_work"] and answer.code == 0

    await eventually(told, 60)
    await pool.core.start()


@pytest.mark.parametrize("running", [False, True])
async def test_stake_and_withdraw_move_rlc_between_wallet_and_hub(
    pool: Pool, worker: WorkerProcess, eventually: Eventually, running: bool
) -> None:
    if running:
        worker.start()
        await eventually(lambda: pool.core.connected, LIMIT_S)
    before = (await pool.hub.view_account(pool.worker.address)).stake
    answer = await poolworker(worker.environment, "withdraw", "2.5")
    assert answer.code == 0, answer.errors
    assert (await pool.hub.view_account(pool.worker.address)).stake == before - 25 * RLC // 10
    answer = await poolworker(worker.environment, "stake", "1")
    assert answer.code == 0, answer.errors
    assert (await pool.hub.view_account(pool.worker.address)).stake == before - 15 * RLC // 10
    assert "The stake is now" in answer.text


async def test_stake_and_withdraw_refuse_what_the_wallet_does_not_have(
    pool: Pool, worker: WorkerProcess
) -> None:
    for command in ("withdraw", "stake"):
        answer = await poolworker(worker.environment, command, "1000000000")
        assert answer.code == 1
        assert "RLC" in answer.errors
        assert (await poolworker(worker.environment, command, "nothing")).code == 2


async def test_clean_removes_what_a_killed_worker_left_only_if_it_may(
    pool: Pool, worker: WorkerProcess, eventually: Eventually, containers_of: ContainersOf
) -> None:
    worker.start()
    await eventually(lambda: pool.core.connected, LIMIT_S)
    task_id = await pool.assigned("/bin/sh -c 'sleep 300'")
    await eventually(lambda: containers_of(pool.worker.address, task_id), LIMIT_S)
    refused = await poolworker(worker.environment, "clean")
    assert (refused.code, "the worker runs" in refused.errors) == (1, True)
    await asyncio.to_thread(worker.kill)
    kept = await poolworker(worker.environment, "clean")
    assert kept.code == 0, kept.errors
    assert containers_of(pool.worker.address, task_id)
    removed = await poolworker(worker.environment, "clean", "--force")
    assert removed.code == 0, removed.errors
    assert not containers_of(pool.worker.address)
    assert not (worker.folder / task_id).exists()
    assert "1 replicates" in removed.text
