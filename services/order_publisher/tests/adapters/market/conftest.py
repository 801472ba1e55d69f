"""A market and its client."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from patience import PATIENCE_S
from workerpool_order_publisher.adapters.market.http_market import HttpMarket
from workerpool_order_publisher.adapters.market.market_http import MarketHttp
from workerpool_order_publisher.adapters.market.order_signer import OrderSigner
from workerpool_order_publisher.domain.order_book import Order, Terms
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import ZERO_ADDRESS, address
from workerpool_poco.protocol.orders import order_domain

from services.order_publisher.tests.adapters.market.fake_market import FakeMarket, served

POOL = address("0x" + "ab" * 20)
DOMAIN = order_domain(65535, address("0x" + "cd" * 20))


@dataclass
class Client:
    """A client of a market with the signer of the same wallet."""

    market: FakeMarket
    http: MarketHttp
    api: HttpMarket
    signer: OrderSigner
    wallet: Wallet

    def order(self, price: int = 5, volume: int = 2) -> Order:
        terms = Terms(0, price, "0x" + "00" * 32, 1, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS)
        return self.signer.order(terms, volume, 1000.0)

    async def publish(self, order: Order) -> None:
        await self.api.publish(self.signer.signed(order), order.hash)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    wallet = Wallet.create()
    async with served(FakeMarket(DOMAIN)) as market:
        http = MarketHttp(market.url, 65535, limit_s=PATIENCE_S)
        yield Client(
            market, http, HttpMarket(http, wallet, POOL, DOMAIN), OrderSigner(wallet, POOL, DOMAIN), wallet
        )
        await http.close()
