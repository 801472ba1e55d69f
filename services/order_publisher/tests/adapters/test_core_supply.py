"""Core's stream: each message reaches the feed, and a lost stream is reopened."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_kit.access.authenticators import OPERATOR, BasicAuthenticator
from workerpool_kit.clock import SystemClock
from workerpool_kit.dependencies.report import Dependency, DependencyReport
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.runtime.tasks import end_tasks
from workerpool_order_publisher.adapters.core_supply import CoreSupply, supply_of
from workerpool_order_publisher.app.core_feed import CoreFeed
from workerpool_order_publisher.domain.supply import Supply, WorkerGroup
from workerpool_protocol.core.v1 import pool_service_pb2 as pb
from workerpool_protocol.core.v1.pool_service_pb2_grpc import (
    PoolServiceServicer,
    add_PoolServiceServicer_to_server,
)

NAME = "workerpool.core.v1.PoolService"
GROUP = pb.SupplyGroup(free_slots=2, workers=3, gpu=True)


class Core(PoolServiceServicer):
    """Sends one supply per stream and ends the stream when `end` is set."""

    def __init__(self) -> None:
        self.stakes: list[int] = []
        self.end = asyncio.Event()

    async def WatchSupply(self, request: Any, context: Any) -> AsyncIterator[pb.WatchSupplyResponse]:
        self.stakes.append(request.worker_stake)
        supply = pb.Supply(cursor_block=len(self.stakes), accepts_work=True, groups=[GROUP])
        yield pb.WatchSupplyResponse(supply=supply)
        await self.end.wait()
        self.end.clear()


class Following:
    """A served core and a client that follows it."""

    def __init__(self, password: str, *, url: str = "") -> None:
        self.core, self.feed, self.health = Core(), CoreFeed(SystemClock()), Health()  # type: ignore[abstract]
        self.password, self.url = password, url
        methods = pb.DESCRIPTOR.services_by_name["PoolService"].methods_by_name
        policy = {f"/{NAME}/{method}": frozenset({OPERATOR}) for method in methods}
        self.server = GrpcServer(
            0, host="127.0.0.1", authenticator=BasicAuthenticator("ops", "secret", OPERATOR), policy=policy
        )
        self.server.add(add_PoolServiceServicer_to_server, self.core, NAME)

    async def __aenter__(self) -> "Following":
        await self.server.start()
        report = DependencyReport(self.health, Dependency("core", "IEXEC_CORE_URL", "core", "start core"))
        # The documented URL names the HTTP port; the gRPC port is 10,000 above it.
        url = self.url or f"http://127.0.0.1:{self.server.port - 10_000}"
        self.client = CoreSupply(url, ("ops", self.password), 30, self.feed, report)
        self.task = asyncio.create_task(self.client.follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        await end_tasks(self.task)
        await self.client.close()
        await self.server.stop(0)

    async def until(self, cursor: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.feed.supply is None or self.feed.supply.cursor < cursor:
                self.feed.changed.clear()
                await self.feed.changed.wait()


async def test_each_message_reaches_the_feed_and_the_stream_is_reopened() -> None:
    async with Following("secret") as following:
        await following.until(1)
        assert following.feed.supply == Supply(1, (WorkerGroup(2, 3, gpu=True),))
        assert following.health.snapshot()["components"]["core"]["status"] == "UP"
        following.core.end.set()
        await following.until(2)
        assert following.core.stakes == [30, 30]


def requested_again(following: Following) -> bool:
    return following.feed.supply is None


async def test_another_price_asks_for_another_supply_at_once() -> None:
    async with Following("secret") as following:
        await following.until(1)
        following.client.change_stake(30)
        assert following.feed.supply is not None, "the same stake changes nothing"
        following.client.change_stake(60)
        assert requested_again(following), "nothing is published until core has answered"
        await following.until(2)
        assert following.core.stakes == [30, 60]
        assert following.feed.silent_s == 0.0


async def test_core_is_found_at_the_grpc_port_that_its_http_port_tells() -> None:
    http = HttpServer(0, host="127.0.0.1", health=Health(), version="1")
    await http.start()
    async with Following("secret", url=f"http://127.0.0.1:{http.port}") as following:
        http.tell_grpc(following.server.port)
        await following.until(1)
    await http.stop()


async def test_wrong_credentials_are_said_with_their_variable() -> None:
    async with Following("wrong") as following:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                core = following.health.snapshot()["components"]["core"]
                if core["details"]["variable"] == "IEXEC_CORE_OPERATOR_PASSWORD":
                    break
                await asyncio.sleep(0.01)
        assert following.feed.silent_s > 0


def test_each_field_of_the_message_has_its_place() -> None:
    message = pb.Supply(
        cursor_block=1,
        total_slots=2,
        pending_slots=3,
        live_workers=4,
        drained_workers=5,
        quarantined_workers=6,
        groups=[pb.SupplyGroup(free_slots=1, workers=2, sgx=True), pb.SupplyGroup(workers=1)],
    )
    assert supply_of(message) == Supply(1, (WorkerGroup(1, 2, sgx=True),), 3, False, 4, 2, 5, 6)


@pytest.mark.parametrize(
    ("url", "words"), [("http://core", "host and a port"), ("http://core:13000", "without TLS")]
)
async def test_an_unusable_url_is_refused(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CoreSupply(url, ("ops", "x"), 0, CoreFeed(SystemClock()), None)  # type: ignore[arg-type]
