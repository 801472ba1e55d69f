"""The wiring, over real ports: a pool with two free slots gets two orders, and a stop withdraws them when asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import http_calls
import pytest
from doubles.node import CHAIN_ID, running_node
from google.protobuf.duration_pb2 import Duration
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.process import Lifetime, StartupError
from workerpool_kit.settings.environment import load
from workerpool_order_publisher.composition import cancel_of, dependencies, limits_of, serve
from workerpool_order_publisher.domain.limits import Cancel
from workerpool_order_publisher.settings import OrderPublisherSettings
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import address
from workerpool_poco.protocol.orders import order_domain
from workerpool_protocol.core.v1 import pool_service_pb2 as core_pb
from workerpool_protocol.order_publisher.v1 import offer_service_pb2 as pb
from workerpool_protocol.order_publisher.v1.offer_service_pb2_grpc import OfferServiceStub
from workerpool_protocol.registry.v1 import config_service_pb2 as config_pb

from services.order_publisher.tests.adapters.market import fake_market
from services.order_publisher.tests.doubles import pool_services
from services.order_publisher.tests.doubles.hub_node import HUB, serve_hub
from services.order_publisher.tests.test_settings import REQUIRED

POOL = address("0x" + "ab" * 20)
SUPPLY = core_pb.Supply(
    cursor_block=16, accepts_work=True, groups=[core_pb.SupplyGroup(free_slots=1, workers=2)]
)


@dataclass
class Pool:
    """The surroundings of a publisher."""

    environ: dict[str, str]
    market: fake_market.FakeMarket
    http: str
    grpc: str


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[Pool]:
    wallet = Wallet.create()
    wallet.write_keystore(tmp_path / "wallet.json", "a password", light=True)
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(running_node())
        serve_hub(node, wallet.address)
        chain = config_pb.ChainConfig(
            chain_id=CHAIN_ID, node_url=node.url, hub_address=HUB, block_time=Duration(seconds=1)
        )
        services = await stack.enter_async_context(pool_services.served(chain, SUPPLY))
        market = fake_market.FakeMarket(order_domain(CHAIN_ID, address(HUB)))
        await stack.enter_async_context(fake_market.served(market))
        ports = free_service_ports()
        environ = REQUIRED | {
            "ORDER_PUBLISHER_PORT": str(ports.http),
            "WORKERPOOL_GRPC_PORT": str(ports.grpc),
            "ORDER_PUBLISHER_WALLET_PATH": str(tmp_path / "wallet.json"),
            "ORDER_PUBLISHER_OPERATOR_USERNAME": "me",
            "ORDER_PUBLISHER_OPERATOR_PASSWORD": "mine",
            "ORDER_PUBLISHER_JOURNAL": str(tmp_path / "orders.sqlite"),
            "POOL_ADDRESS": POOL,
            "IEXEC_CONFIG_SERVER_URL": services,
            "IEXEC_CORE_URL": services,
            "IEXEC_CORE_OPERATOR_PASSWORD": "secret",
            "MARKET_API_URL": market.url,
            "PUBLISH_PERIOD": "0",
        }
        yield Pool(environ, market, f"http://127.0.0.1:{ports.http}", f"127.0.0.1:{ports.grpc}")


async def open_offers(pool: Pool, count: int) -> list[Any]:
    """Return the offers once there are so many open ones."""
    async with open_channel(pool.grpc, basic=("me", "mine")) as channel:
        stub: Any = OfferServiceStub(channel)
        while True:
            answer = await stub.GetOffers(pb.GetOffersRequest(), wait_for_ready=True)
            found = [offer for offer in answer.offers if offer.state == pb.OFFER_STATE_OPEN]
            if len(found) == count:
                return found
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("withdraw", "left"), [("true", 0), ("false", 2)])
async def test_the_free_slots_are_offered_until_a_stop(pool: Pool, withdraw: str, left: int) -> None:
    lifetime = Lifetime()
    settings = load(OrderPublisherSettings, pool.environ | {"ORDER_PUBLISHER_WITHDRAW_ON_STOP": withdraw})
    async with asyncio.timeout(60):
        serving = asyncio.ensure_future(serve(settings, lifetime))
        offers = await open_offers(pool, 2)
        assert {offer.order_hash for offer in offers} == set(pool.market.orders)
        health = (await http_calls.get(f"{pool.http}/actuator/health")).json()
        assert {name: part["status"] for name, part in health["components"].items()} == dict.fromkeys(
            ("market", "core", "chain", "stake", "journal"), "UP"
        )
        version = await http_calls.get(f"{pool.http}/version")
        assert version.headers["Workerpool-Grpc"] == pool.grpc.rpartition(":")[2]
        metrics = (await http_calls.get(f"{pool.http}/metrics")).text
        assert "workerpool_orders_open 2.0" in metrics
        lifetime.stop("the test is over")
        await serving
        await lifetime.cancel_spawned()
    assert len(pool.market.orders) == left
    assert lifetime.failure is None


async def test_a_restart_publishes_nothing_twice(pool: Pool) -> None:
    settings = load(OrderPublisherSettings, pool.environ)
    hashes = []
    for _ in range(2):
        lifetime = Lifetime()
        async with asyncio.timeout(60):
            serving = asyncio.ensure_future(serve(settings, lifetime))
            hashes.append({offer.order_hash for offer in await open_offers(pool, 2)})
            lifetime.stop("the test is over")
            await serving
            await lifetime.cancel_spawned()
    assert hashes[0] == hashes[1] == set(pool.market.orders)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ORDER_PUBLISHER_WALLET_PASSWORD", "wrong", "ORDER_PUBLISHER_WALLET_PASSWORD"),
        ("ORDER_PUBLISHER_JOURNAL", "/proc/orders.sqlite", "check ORDER_PUBLISHER_JOURNAL"),
    ],
)
async def test_a_start_that_cannot_succeed_names_the_variable(
    pool: Pool, variable: str, value: str, words: str
) -> None:
    settings = load(OrderPublisherSettings, pool.environ | {variable: value})
    with pytest.raises(StartupError, match=words):
        async with asyncio.timeout(60):
            await serve(settings, Lifetime())


async def test_another_owner_s_pool_ends_the_start(pool: Pool, tmp_path: Path) -> None:
    Wallet.create().write_keystore(tmp_path / "other.json", "a password", light=True)
    environ = pool.environ | {"ORDER_PUBLISHER_WALLET_PATH": str(tmp_path / "other.json")}
    with pytest.raises(StartupError, match="belongs to"):
        async with asyncio.timeout(60):
            await serve(load(OrderPublisherSettings, environ), Lifetime())


def test_the_settings_reach_the_limits_and_the_dependencies() -> None:
    settings = load(
        OrderPublisherSettings,
        REQUIRED
        | {"WORKERPOOL_PRICE": "7", "CATEGORY": "1,2", "MAX_ORDER_NUMBER": "3", "IS_GPU_POOL": "true"},
    )
    limits = limits_of(settings, Cancel.NEVER)
    assert (limits.prices, limits.categories, limits.max_volume) == ((7, 7), (1, 2), 3)
    assert limits.requirement.gpu
    assert [found.component for found in dependencies(settings)] == ["market", "core", "chain", "stake"]


@pytest.mark.parametrize(
    ("environ", "sidechain", "expected"),
    [
        ({}, True, Cancel.NEVER),
        ({"ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD": "x"}, True, Cancel.ALWAYS),
        ({"ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD": "x"}, False, Cancel.NEVER),
        (
            {
                "ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD": "x",
                "ORDER_PUBLISHER_CANCEL_ON_CHAIN": "terms",
            },
            False,
            Cancel.TERMS,
        ),
    ],
)
def test_cancellations_that_cost_gas_need_the_operator_s_word(
    environ: dict[str, str], sidechain: bool, expected: Cancel
) -> None:
    chain = ChainConfig(1, sidechain, "http://node:8545", HUB, 1.0)
    assert cancel_of(load(OrderPublisherSettings, REQUIRED | environ), chain) is expected
