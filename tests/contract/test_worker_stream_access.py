"""Access to the worker stream, and to the replicates of other workers."""

import grpc
import pytest
from contract.assigned_tasks import UNKNOWN, VERSION, AssignedTasks, core_environment, refused_update
from contract.worker_stream import WorkerStream, hello
from grpc import StatusCode
from workerpool_kit.grpc.client import error_reason
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R

__all__ = ["core_environment"]
pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_another_worker_version_is_refused_with_the_required_one(assigned: AssignedTasks) -> None:
    stream = await assigned.pool.open(await assigned.pool.login(assigned.other))
    model = {"name": "old", "version": "0.0.1", "slots": 1, "memory_bytes": 1}
    await stream.send(hello=hello(model=model))
    assert await stream.ended() == (StatusCode.OK, None)
    (shutdown,) = stream.all("shutdown")
    assert shutdown.reason == "BAD_VERSION"
    assert VERSION in shutdown.message
    assert not shutdown.HasField("retry_after")


async def test_the_whitelist_ignores_case_and_excludes_other_wallets(assigned: AssignedTasks) -> None:
    for wallet in assigned.pool.net.worker_wallets:
        assert await assigned.pool.login(wallet)
    stranger = assigned.pool.net.accounts["spare"]
    refused = (StatusCode.PERMISSION_DENIED, "NOT_WHITELISTED")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await assigned.pool.login(stranger)
    assert (error.value.code(), error_reason(error.value)) == refused
    # A token from before the wallet left the whitelist.
    stream = await assigned.pool.open(assigned.pool.token(stranger.address))
    await stream.send(hello=hello())
    assert await stream.ended() == refused
    listed = await assigned.pool.operators.ListWorkers(pool_service_pb2.ListWorkersRequest())
    assert stranger.address not in {worker.wallet_address for worker in listed.workers}


async def test_a_second_stream_replaces_the_first(assigned: AssignedTasks) -> None:
    first = await assigned.pool.connect(assigned.other)
    second = await assigned.pool.connect(assigned.other)
    assert await first.ended() == (StatusCode.OK, None)
    (shutdown,) = first.all("shutdown")
    assert shutdown.reason == "REPLACED"
    assert (await second.answer(UNKNOWN, R.REPLICATE_STATUS_STARTING)).reason == "UNKNOWN_REPLICATE"
    await second.close()


# --- replicates of other workers -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [s for s in R.values() if s], ids=lambda s: R.Name(s)[17:])
async def test_every_status_of_another_workers_replicate_is_refused(
    assigned: AssignedTasks, others: WorkerStream, status: int
) -> None:
    before = await assigned.pool.task(assigned.shared)
    await refused_update(others, assigned.shared, status, "UNKNOWN_REPLICATE")
    assert await assigned.pool.task(assigned.shared) == before


async def test_statuses_of_unknown_tasks_are_refused_and_the_stream_stays_open(others: WorkerStream) -> None:
    for _ in range(3):
        await refused_update(others, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")


async def test_logs_of_another_workers_replicate_end_the_stream(
    assigned: AssignedTasks, others: WorkerStream
) -> None:
    task = assigned.task()
    await others.send(log_chunk={"task_id": task, "stream": 1, "text": "mine!"})
    assert await others.ended() == (StatusCode.PERMISSION_DENIED, "FOREIGN_REPLICATE")
    assert not (await assigned.replicate(task)).logs_present


async def test_a_claim_to_hold_another_workers_replicate_is_dropped(assigned: AssignedTasks) -> None:
    task = assigned.task()
    before = await assigned.pool.task(task)
    held = [
        {"task_id": task, "status": R.REPLICATE_STATUS_COMPUTED, "result_available": True},
        {"task_id": UNKNOWN, "status": R.REPLICATE_STATUS_CONTRIBUTED, "last_command_sequence": 2**64 - 1},
    ]
    stream = await assigned.pool.connect(assigned.other, held=held)
    assert set((await stream.first("welcome")).dropped_task_ids) == {task, UNKNOWN}
    await refused_update(stream, task, R.REPLICATE_STATUS_CONTRIBUTING, "UNKNOWN_REPLICATE")
    assert stream.assignments() == stream.all("command") == []
    assert await assigned.pool.task(task) == before
    await stream.close()


async def test_an_authorization_names_its_worker(assigned: AssignedTasks, ours: WorkerStream) -> None:
    assignments = await ours.until(ours.assignments)
    assert {one.authorization.worker_wallet for one in assignments} == {assigned.ours.address}
