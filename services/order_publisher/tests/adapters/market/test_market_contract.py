"""What the publisher relies on of a market, shown on two: the small one of its tests, and the devnet's on a chain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from devnet.tests.order_book.market_client import Client as DevnetClient
from devnet.tests.order_book.market_client import running_market
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_order_publisher.adapters.market import http_market
from workerpool_order_publisher.adapters.market.http_market import HttpMarket
from workerpool_order_publisher.adapters.market.market_http import MarketHttp
from workerpool_order_publisher.adapters.market.order_signer import OrderSigner
from workerpool_order_publisher.app.ports import Listed, MarketRefusal
from workerpool_order_publisher.domain.order_book import Order, Terms
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address
from workerpool_poco.protocol.orders import WorkerpoolOrder

from services.order_publisher.tests.adapters.market.conftest import DOMAIN, POOL
from services.order_publisher.tests.adapters.market.fake_market import FakeMarket, served

ANYTHING = Terms(0, 0, "0x" + "00" * 32, 1, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS)


@dataclass
class Seller:
    """The publisher's client of a market, with the signer of the pool's owner."""

    url: str
    wallet: Wallet
    pool: Address
    domain: Eip712Domain
    chain: DevnetClient | None = None
    """The other side of the devnet's market; None for the small one, which reads no chain."""

    def __post_init__(self) -> None:
        self.http = MarketHttp(self.url, self.domain.chain_id, limit_s=60)
        self.api = HttpMarket(self.http, self.wallet, self.pool, self.domain)
        self.signer = OrderSigner(self.wallet, self.pool, self.domain)

    def order(self, volume: int = 2, **terms: object) -> Order:
        return self.signer.order(replace(ANYTHING, **terms), volume, 1000.0)  # type: ignore[arg-type]

    async def publish(self, order: Order) -> None:
        await self.api.publish(self.signer.signed(order), order.hash)

    async def listed(self) -> set[str]:
        return {found.hash for found in await self.api.listing()}


@asynccontextmanager
async def small_market() -> AsyncIterator[Seller]:
    async with served(FakeMarket(DOMAIN)) as market:
        yield Seller(market.url, Wallet.create(), POOL, DOMAIN)


@asynccontextmanager
async def devnet_market(chain: PocoChain, folder: Path) -> AsyncIterator[Seller]:
    async with running_market(chain, folder / "orders") as client:
        yield Seller(client.url, client.owner, client.pool, client.domain, client)


@pytest.fixture(params=["small", "devnet"])
async def seller(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Seller]:
    if request.param == "small":
        opened = small_market()
    else:
        opened = devnet_market(request.getfixturevalue("fresh_poco_chain"), tmp_path)
    async with opened as found:
        yield found
        await found.http.close()


@pytest.fixture
async def devnet(fresh_poco_chain: PocoChain, tmp_path: Path) -> AsyncIterator[Seller]:
    async with devnet_market(fresh_poco_chain, tmp_path) as found:
        yield found
        await found.http.close()


async def test_an_order_is_listed_as_it_was_signed_until_it_is_withdrawn(seller: Seller) -> None:
    order, other = seller.order(), seller.order(volume=1)
    for one in (order, other):
        await seller.publish(one)
    found = {listed.hash: listed for listed in await seller.api.listing()}
    assert set(found) == {order.hash, other.hash}
    # The owner's address as it stands there decides about the adoption of orders after a lost journal.
    assert found[order.hash] == Listed(order.hash, order.salt, order.terms, 2, seller.wallet.address)
    await seller.api.unpublish(order.hash)
    assert await seller.listed() == {other.hash}


async def test_restricted_orders_are_listed_too(seller: Seller) -> None:
    stranger = seller.wallet.address
    orders = [seller.order(app=stranger), seller.order(dataset=stranger), seller.order(requester=stranger)]
    for order in orders:
        await seller.publish(order)
    assert await seller.listed() == {order.hash for order in orders}


async def test_repeated_calls_change_nothing(seller: Seller) -> None:
    order = seller.order()
    for _ in range(2):
        await seller.publish(order)
    assert [found.hash for found in await seller.api.listing()] == [order.hash]
    for _ in range(2):
        await seller.api.unpublish(order.hash)
    assert await seller.listed() == set()
    await seller.publish(order)
    assert await seller.listed() == {order.hash}, "it may return"


async def test_every_page_is_read(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_market, "_PAGE_SIZE", 10)
    orders = [seller.order() for _ in range(21)]
    for order in orders:
        await seller.publish(order)
    assert await seller.listed() == {order.hash for order in orders}
    assert set(await seller.api.unpublish_all()) == {order.hash for order in orders}
    assert await seller.api.unpublish_all() == []


async def test_an_order_that_another_wallet_signed_is_refused(seller: Seller) -> None:
    stranger = OrderSigner(Wallet.create(), seller.pool, seller.domain)
    order = stranger.order(ANYTHING, 1, 1000.0)
    with pytest.raises(MarketRefusal):
        await seller.api.publish(stranger.signed(order), order.hash)
    assert await seller.listed() == set()


async def test_the_stake_of_the_owner_covers_what_is_published(devnet: Seller) -> None:
    assert devnet.chain is not None
    stake = devnet.chain.chain.market.hub.functions.viewAccount(devnet.wallet.address).call()[0]
    with pytest.raises(MarketRefusal, match="nRLC"):
        await devnet.publish(devnet.order(price=10, volume=stake // 3 + 1))
    await devnet.publish(devnet.order(price=10, volume=stake // 3))


async def test_a_wallet_that_has_fifty_orders_is_refused_in_words(devnet: Seller) -> None:
    for _ in range(50):
        await devnet.publish(devnet.order(volume=1))
    with pytest.raises(MarketRefusal, match="50"):
        await devnet.publish(devnet.order(volume=1))


async def test_an_order_that_is_sold_out_or_cancelled_leaves_and_cannot_return(devnet: Seller) -> None:
    assert devnet.chain is not None
    sold, cancelled, left = (devnet.order() for _ in range(3))
    for order in (sold, cancelled, left):
        await devnet.publish(order)
    devnet.chain.match(signed(devnet, sold), 2)
    devnet.chain.match(signed(devnet, left), 1)
    devnet.chain.send(calls.cancel_workerpool_order(signed(devnet, cancelled)).data)
    assert await devnet.listed() == {left.hash}
    for order in (sold, cancelled):
        await devnet.api.unpublish(order.hash)
        with pytest.raises(MarketRefusal):
            await devnet.publish(order)


def signed(seller: Seller, order: Order) -> WorkerpoolOrder:
    return WorkerpoolOrder.from_json(seller.signer.signed(order))
