"""A client of the market that calls it as the SDK does."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from workerpool_devnet.chain import transactions
from workerpool_devnet.order_book.entries import Order, OrderKind
from workerpool_devnet.order_book.service import serving
from workerpool_devnet.order_book.settings import OrderBookSettings
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.orders import NO_DATASET, AppOrder, RequestOrder, WorkerpoolOrder, order_domain


def settings_of(chain: PocoChain, journal: Path) -> OrderBookSettings:
    """Return the settings of a market of the chain on a free port."""
    return OrderBookSettings(
        http_port=0, journal=journal, node_url=chain.url, chain_id=chain.chain_id, hub_address=chain.hub
    )


class Client:
    """Calls a market as the SDK does."""

    def __init__(self, url: str, http: aiohttp.ClientSession, chain: PocoChain) -> None:
        self.url = url
        self.http = http
        self.chain = chain
        self.domain = order_domain(chain.chain_id, chain.hub)
        self.owner = chain.account("book pool owner")
        self.requester = chain.account("book requester")
        self.pool = chain.market.create_workerpool(self.owner, "a pool with offers")
        self.app = chain.market.create_app(self.requester, "hello", "docker.io/example/hello:1")

    async def call(
        self, method: str, path: str, body: Any = None, *, wallet: Wallet | None = None, **query: Any
    ) -> tuple[int, dict[str, Any]]:
        headers = {} if wallet is None else {"Authorization": await self.authorization(wallet)}
        async with self.http.request(
            method,
            self.url + path,
            params={"chainId": str(self.chain.chain_id)} | query,
            data=None if body is None else json.dumps(body),
            headers=headers,
        ) as response:
            assert response.content_type == "application/json"
            return response.status, await response.json()

    async def authorization(self, wallet: Wallet) -> str:
        _, answer = await self.call("GET", "/challenge", address=wallet.address)
        data = answer["data"]
        assert data["types"]["Challenge"] == [{"name": "challenge", "type": "string"}]
        domain = Eip712Domain(data["domain"]["name"], data["domain"]["version"], data["domain"]["chainId"])
        digest = domain.digest("Challenge(string challenge)", [data["message"]["challenge"]])
        return f"{to_hex(digest)}_{to_hex(wallet.sign_hash(digest))}_{wallet.address}"

    def offer(self, **fields: Any) -> WorkerpoolOrder:
        known: dict[str, Any] = {"workerpool": self.pool, "trust": 1}
        return WorkerpoolOrder(**(known | fields)).signed(self.owner, self.domain)

    async def publish(
        self, order: Order, kind: OrderKind = OrderKind.WORKERPOOL, *, wallet: Wallet | None = None
    ) -> tuple[int, dict[str, Any]]:
        body = {"order": order.to_json()}
        return await self.call("POST", f"/{kind.plural}", body, wallet=wallet or self.owner)

    async def published(self, order: Order, kind: OrderKind = OrderKind.WORKERPOOL, **how: Any) -> str:
        status, answer = await self.publish(order, kind, **how)
        assert (status, answer["ok"]) == (200, True), answer
        return str(answer["published"]["orderHash"])

    async def refused(self, order: Order, kind: OrderKind = OrderKind.WORKERPOOL, **how: Any) -> str:
        status, answer = await self.publish(order, kind, **how)
        assert 400 <= status < 500
        assert answer["ok"] is False
        return str(answer["error"])

    async def offers(self, **query: Any) -> list[dict[str, Any]]:
        status, answer = await self.call("GET", "/workerpoolorders", workerpool=self.pool, **query)
        assert status == 200, answer
        return list(answer["orders"])

    def send(self, data: bytes) -> None:
        """Call the hub as the owner of the pool."""
        transactions.send(self.chain.chain.rpc, self.owner, self.chain.hub, data)

    def match(self, offer: WorkerpoolOrder, volume: int) -> str:
        """Match an offer of the market as the SDK does; return the deal id."""
        app = AppOrder(app=self.app, volume=volume).signed(self.requester, self.domain)
        request = RequestOrder(
            app=self.app,
            workerpoolmaxprice=offer.workerpoolprice,
            requester=self.requester.address,
            volume=volume,
            trust=offer.trust,
            category=offer.category,
        ).signed(self.requester, self.domain)
        return self.chain.market.match(self.requester, app, NO_DATASET, offer, request).deal_id


@asynccontextmanager
async def running_market(chain: PocoChain, journal: Path) -> AsyncIterator[Client]:
    """Run a market and return a client of it."""
    async with serving(settings_of(chain, journal)) as port, aiohttp.ClientSession() as http:
        yield Client(f"http://127.0.0.1:{port}", http, chain)
