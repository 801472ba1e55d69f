"""The pool service: its views, its instructions to workers, and their authorization."""

import asyncio
import math
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from patience import PATIENCE_S
from workerpool_poco.chain.wallet import Wallet
from workerpool_protocol.core.v1 import pool_service_pb2 as pb
from workerpool_protocol.core.v1.worker_service_pb2 import Availability

OPERATOR = {"basic": ("ops", "secret")}


def orders(stub: Any, wallet: str) -> list[Any]:
    return [
        stub.DrainWorker(pb.DrainWorkerRequest(wallet_address=wallet)),
        stub.UndrainWorker(pb.UndrainWorkerRequest(wallet_address=wallet)),
        stub.ReleaseWorker(pb.ReleaseWorkerRequest(wallet_address=wallet)),
    ]


async def test_the_pool_is_summarised(api: Any, wallet: Wallet) -> None:
    await (await api.connect(wallet, slots=4)).receive()
    status = await api.pool().GetPoolStatus(pb.GetPoolStatusRequest())
    assert (status.alive_workers, status.registered_cpus, status.computing_cpus) == (1, 4, 0)
    assert len(status.tasks_by_status) == 21
    api.clock.advance(60)
    assert (await api.pool().GetPoolStatus(pb.GetPoolStatusRequest())).alive_workers == 0


async def test_a_summary_is_computed_at_most_once_per_second(api: Any, wallet: Wallet) -> None:
    pool = api.pool()
    assert (await pool.GetPoolStatus(pb.GetPoolStatusRequest())).alive_workers == 0
    await (await api.connect(wallet)).receive()
    assert (await pool.GetPoolStatus(pb.GetPoolStatusRequest())).alive_workers == 0
    api.clock.advance(1)
    assert (await pool.GetPoolStatus(pb.GetPoolStatusRequest())).alive_workers == 1


async def test_workers_are_paged_by_wallet(api: Any) -> None:
    wallets = sorted((Wallet.create() for _ in range(3)), key=lambda wallet: wallet.address)
    for wallet in wallets:
        await (await api.connect(wallet)).receive()
    first = await api.pool().ListWorkers(pb.ListWorkersRequest(page_size=2))
    second = await api.pool().ListWorkers(
        pb.ListWorkersRequest(page_size=2, page_token=first.next_page_token)
    )
    listed = [worker.wallet_address for page in (first, second) for worker in page.workers]
    assert listed == [wallet.address for wallet in wallets]
    assert second.next_page_token == ""
    assert all(worker.connected for worker in first.workers)
    for text in (wallets[1].address[:14].lower(), wallets[1].address):
        (found,) = (await api.pool().ListWorkers(pb.ListWorkersRequest(text=text))).workers
        assert found.wallet_address == wallets[1].address
    named = await api.pool().ListWorkers(pb.ListWorkersRequest(text=first.workers[0].name.upper()))
    assert [each.wallet_address for each in named.workers] == listed
    assert not (await api.pool().ListWorkers(pb.ListWorkersRequest(text="no such name"))).workers


async def test_a_drained_worker_is_notified_and_stays_drained_after_a_restart(
    open_api: Any, wallet: Wallet
) -> None:
    api = await open_api()
    stream = await api.connect(wallet)
    await stream.receive()
    request = pb.DrainWorkerRequest(wallet_address=wallet.address, duration=Duration(seconds=600))
    drained = (await api.pool(**OPERATOR).DrainWorker(request)).worker
    assert drained.drained_until.seconds == int(api.clock.now() + 600)
    assert (await stream.receive()).WhichOneof("message") == "drain"
    restarted = await open_api()
    assert restarted.engine.workers[wallet.address].worker.drained_until > restarted.clock.now()
    undrain = pb.UndrainWorkerRequest(wallet_address=wallet.address)
    undrained = (await restarted.pool(**OPERATOR).UndrainWorker(undrain)).worker
    assert not undrained.HasField("drained_until")


async def test_a_foreign_page_token_is_refused(api: Any) -> None:
    request = pb.ListWorkersRequest(page_token="0xABC\N{SNOWMAN}")
    assert await api.refused(api.pool().ListWorkers(request)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "BAD_PAGE_TOKEN",
    )


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(0, 0), (-1, 0), (-(2**63), 0), (3_155_760_001, 0), (2**63 - 1, 0), (1, 10**9), (1, -1)],
)
async def test_a_drain_of_zero_excessive_or_malformed_duration_is_refused(
    api: Any, wallet: Wallet, seconds: int, nanos: int
) -> None:
    await (await api.connect(wallet)).receive()
    duration = Duration(seconds=seconds, nanos=nanos)
    request = pb.DrainWorkerRequest(wallet_address=wallet.address, duration=duration)
    assert await api.refused(api.pool(**OPERATOR).DrainWorker(request)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_ARGUMENT",
    )


async def test_a_drain_without_end_lasts_until_undrained(api: Any, wallet: Wallet) -> None:
    await (await api.connect(wallet)).receive()
    request = pb.DrainWorkerRequest(wallet_address=wallet.address)
    worker = (await api.pool(**OPERATOR).DrainWorker(request)).worker
    assert worker.HasField("drained_until")
    assert api.engine.workers[wallet.address].worker.drained_until == math.inf


async def test_operator_methods_require_credentials(api: Any, wallet: Wallet) -> None:
    for call in orders(api.pool(), wallet.address):
        assert (await api.refused(call))[0] is grpc.StatusCode.UNAUTHENTICATED
    for call in orders(api.pool(basic=("ops", "wrong")), wallet.address):
        assert (await api.refused(call))[0] is grpc.StatusCode.UNAUTHENTICATED
    token = await api.login(wallet)

    async def give() -> str:
        return str(token)

    for call in orders(api.pool(token=give), wallet.address):
        assert (await api.refused(call))[0] is grpc.StatusCode.PERMISSION_DENIED


async def test_instructions_to_unknown_workers_are_not_found(api: Any, wallet: Wallet) -> None:
    for call in orders(api.pool(**OPERATOR), wallet.address):
        assert await api.refused(call) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_WORKER")


async def test_operator_methods_are_disabled_without_an_operator(open_api: Any, wallet: Wallet) -> None:
    api = await open_api(operator=False)
    await (await api.connect(wallet)).receive()
    for call in orders(api.pool(), wallet.address):
        assert await api.refused(call) == (grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_DISABLED")
    assert api.engine.workers[wallet.address].worker.drained_until == 0


async def test_the_supply_is_sent_at_once_and_after_each_change_only(api: Any, wallet: Wallet) -> None:
    stream = api.pool(**OPERATOR).WatchSupply(pb.WatchSupplyRequest(), timeout=PATIENCE_S)
    first = (await stream.read()).supply
    assert (first.free_slots, first.live_workers, first.accepts_work) == (0, 0, True)
    await (await api.connect(wallet, slots=3)).receive()
    changed = (await stream.read()).supply
    while not changed.free_slots:
        changed = (await stream.read()).supply
    assert [(group.free_slots, group.workers) for group in changed.groups] == [(3, 1)]
    await api.pool(**OPERATOR).DrainWorker(pb.DrainWorkerRequest(wallet_address=wallet.address))
    drained = (await stream.read()).supply
    assert (drained.free_slots, drained.total_slots, drained.drained_workers) == (0, 3, 1)
    stream.cancel()


@pytest.mark.parametrize(
    ("operator", "status", "reason"),
    [
        (True, grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
        (False, grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_DISABLED"),
    ],
)
async def test_the_supply_is_for_the_operator(
    open_api: Any, operator: bool, status: grpc.StatusCode, reason: str
) -> None:
    api = await open_api(operator=operator)
    call = api.pool().WatchSupply(pb.WatchSupplyRequest(), timeout=PATIENCE_S)
    assert await api.refused(call.read()) == (status, reason)


async def test_a_worker_is_read_by_every_caller_with_the_reason_why_it_gets_no_work(
    api: Any, wallet: Wallet
) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    request = pb.GetWorkerRequest(wallet_address=wallet.address.lower())
    found = await api.pool().GetWorker(request)
    assert (found.worker.wallet_address, found.worker.parked_reason) == (wallet.address, "")
    assert found.idle_reason
    await stream.send(availability=Availability(refusal="the disk is full"))
    while not (found := await api.pool().GetWorker(request)).worker.parked_reason:
        await asyncio.sleep(0.01)
    next_step = "Correct what it names; it then takes work again."
    assert found.idle_reason == f"The worker takes no work: the disk is full. {next_step}"


async def test_an_unknown_worker_is_not_found(api: Any) -> None:
    call = api.pool().GetWorker(pb.GetWorkerRequest(wallet_address="0x" + "ab" * 20))
    assert await api.refused(call) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_WORKER")
