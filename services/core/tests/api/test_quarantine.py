"""A quarantine is visible and ends through the pool service, over a real stream and a real database."""

from typing import Any

from workerpool_core.domain.model import Worker
from workerpool_poco.chain.wallet import Wallet
from workerpool_protocol.core.v1 import pool_service_pb2 as pb

OPERATOR = {"basic": ("ops", "secret")}


async def listed(api: Any, wallet: Wallet) -> pb.Worker:
    found = (await api.pool().ListWorkers(pb.ListWorkersRequest())).workers
    (worker,) = [worker for worker in found if worker.wallet_address == wallet.address]
    named: pb.Worker = worker
    return named


async def quarantine(api: Any, wallet: Wallet, seconds: float) -> None:
    """Put a worker into quarantine, as three consecutive failures would."""
    worker: Worker = api.engine.workers[wallet.address].worker
    worker.consecutive_failures = 3
    worker.quarantined_until = api.clock.now() + seconds


async def test_a_quarantine_is_visible_and_ended_by_a_release(api: Any, wallet: Wallet) -> None:
    await (await api.connect(wallet)).receive()
    await quarantine(api, wallet, 60)
    seen = await listed(api, wallet)
    assert seen.consecutive_failures == 3
    assert seen.quarantined_until.seconds == int(api.clock.now() + 60)
    request = pb.ReleaseWorkerRequest(wallet_address=wallet.address)
    released = (await api.pool(**OPERATOR).ReleaseWorker(request)).worker
    assert (released.consecutive_failures, released.HasField("quarantined_until")) == (0, False)
    assert await listed(api, wallet) == released


async def test_an_expired_quarantine_is_not_shown(api: Any, wallet: Wallet) -> None:
    await (await api.connect(wallet)).receive()
    await quarantine(api, wallet, 60)
    api.clock.advance(61)
    assert not (await listed(api, wallet)).HasField("quarantined_until")


async def test_a_release_is_durable(open_api: Any, wallet: Wallet) -> None:
    api = await open_api()
    await (await api.connect(wallet)).receive()
    await quarantine(api, wallet, 3600)
    await api.pool(**OPERATOR).DrainWorker(pb.DrainWorkerRequest(wallet_address=wallet.address))
    restarted = await open_api()
    assert restarted.engine.workers[wallet.address].worker.quarantined_until > restarted.clock.now()
    request = pb.ReleaseWorkerRequest(wallet_address=wallet.address)
    await restarted.pool(**OPERATOR).ReleaseWorker(request)
    again = await open_api()
    worker = again.engine.workers[wallet.address].worker
    assert (worker.quarantined_until, worker.consecutive_failures) == (0, 0)
