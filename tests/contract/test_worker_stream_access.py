"""Who may open a stream, and that nobody touches another's replicates on it."""

import grpc
import pytest
from contract.bench import UNKNOWN, VERSION, core_environment, refused_update
from grpc import StatusCode
from workerpool_kit.grpc.client import error_reason
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R

__all__ = ["core_environment"]
pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_another_version_is_told_which_one_and_sent_away(bench, hello) -> None:
    stream = await bench.pool.open(await bench.pool.login(bench.other))
    model = {"name": "old", "version": "0.0.1", "slots": 1, "memory_bytes": 1}
    await stream.send(hello=hello(model=model))
    assert await stream.ended() == (StatusCode.OK, None)
    (shutdown,) = stream.all("shutdown")
    assert shutdown.reason == "BAD_VERSION"
    assert VERSION in shutdown.message
    assert not shutdown.HasField("retry_after")


async def test_the_whitelist_admits_in_any_case_and_nobody_else(bench, hello) -> None:
    for wallet in bench.pool.net.worker_wallets:
        assert await bench.pool.login(wallet)
    stranger = bench.pool.net.accounts["spare"]
    refused = (StatusCode.PERMISSION_DENIED, "NOT_WHITELISTED")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await bench.pool.login(stranger)
    assert (error.value.code(), error_reason(error.value)) == refused
    # A token from a time when the wallet was on the list.
    stream = await bench.pool.open(bench.pool.token(stranger.address))
    await stream.send(hello=hello())
    assert await stream.ended() == refused
    listed = await bench.pool.operators.ListWorkers(pool_service_pb2.ListWorkersRequest())
    assert stranger.address not in {worker.wallet_address for worker in listed.workers}


async def test_a_second_stream_replaces_the_first(bench) -> None:
    first = await bench.pool.connect(bench.other)
    second = await bench.pool.connect(bench.other)
    assert await first.ended() == (StatusCode.OK, None)
    (shutdown,) = first.all("shutdown")
    assert shutdown.reason == "REPLACED"
    assert (await second.answer(UNKNOWN, R.REPLICATE_STATUS_STARTING)).reason == "UNKNOWN_REPLICATE"
    await second.close()


# --- replicates of others -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [s for s in R.values() if s], ids=lambda s: R.Name(s)[17:])
async def test_no_status_of_anothers_replicate_is_taken(bench, status: int) -> None:
    if not hasattr(bench, "foreign"):
        bench.foreign = bench.task(), await bench.pool.connect(bench.other)
    task, stream = bench.foreign
    before = await bench.pool.task(task)
    await refused_update(stream, task, status, "UNKNOWN_REPLICATE")
    assert await bench.pool.task(task) == before


async def test_statuses_of_unknown_tasks_are_refused_and_the_stream_goes_on(others) -> None:
    for _ in range(3):
        await refused_update(others, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")


async def test_logs_of_anothers_replicate_end_the_stream(bench, others) -> None:
    task = bench.task()
    await others.send(log_chunk={"task_id": task, "stream": 1, "text": "mine!"})
    assert await others.ended() == (StatusCode.PERMISSION_DENIED, "FOREIGN_REPLICATE")
    assert not (await bench.replicate(task)).logs_present


async def test_claiming_to_hold_anothers_replicate_gives_nothing(bench) -> None:
    task = bench.task()
    before = await bench.pool.task(task)
    held = [
        {"task_id": task, "status": R.REPLICATE_STATUS_COMPUTED, "result_available": True},
        {"task_id": UNKNOWN, "status": R.REPLICATE_STATUS_CONTRIBUTED, "last_command_sequence": 2**64 - 1},
    ]
    stream = await bench.pool.connect(bench.other, held=held)
    assert set((await stream.first("welcome")).dropped_task_ids) == {task, UNKNOWN}
    await refused_update(stream, task, R.REPLICATE_STATUS_CONTRIBUTING, "UNKNOWN_REPLICATE")
    assert stream.assignments() == stream.all("command") == []
    assert await bench.pool.task(task) == before
    await stream.close()


async def test_an_authorization_names_the_one_worker_it_is_for(bench, ours) -> None:
    assignments = await ours.until(ours.assignments)
    assert {one.authorization.worker_wallet for one in assignments} == {bench.ours.address}
