"""The pool's offers on the real contracts: a new price without a restart, and the worth of copies of old offers."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.errors import TransactionError
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.services.plan import SDK_SERVICES
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.ids import bytes32
from workerpool_poco.protocol.orders import NO_DATASET, AppOrder, RequestOrder, WorkerpoolOrder, order_domain

PRICE = 7


class Buyer:
    """A requester that copies every order it sees on the market."""

    def __init__(self, net: Devnet, app: str, http: aiohttp.ClientSession) -> None:
        self.net, self.app, self.http = net, app, http
        self.wallet = net.account("requester")
        self.domain = order_domain(net.chain.chain_id, net.contracts.hub)

    async def offers(self) -> dict[str, WorkerpoolOrder]:
        """Return the open orders of the shortest category, by hash."""
        query = {
            "chainId": str(self.net.chain.chain_id),
            "workerpool": self.net.workerpool,
            "category": "0",
            "requester": "any",
        }
        async with self.http.get(
            f"{self.net.services['market'].http}/workerpoolorders", params=query
        ) as answer:
            orders = (await answer.json())["orders"]
        return {found["orderHash"]: WorkerpoolOrder.from_json(found["order"]) for found in orders}

    async def until(self, wanted: Callable[[dict[str, WorkerpoolOrder]], bool]) -> dict[str, WorkerpoolOrder]:
        """Return the offers once they are as wanted."""
        async with asyncio.timeout(60):
            while not wanted(found := await self.offers()):
                await asyncio.sleep(0.1)
        return found

    def buy(self, offer: WorkerpoolOrder) -> None:
        """Match an offer. Raises TransactionError."""
        app = AppOrder(app=self.app).signed(self.wallet, self.domain)
        request = RequestOrder(
            app=self.app,
            workerpoolmaxprice=offer.workerpoolprice,
            requester=self.wallet.address,
            trust=offer.trust,
            category=offer.category,
        ).signed(self.wallet, self.domain)
        self.net.market.match(self.wallet, app, NO_DATASET, offer, request)


async def consumed(net: Devnet, order_hash: str) -> int:
    async with HubClient(net.chain.url, net.contracts.hub) as hub:
        return await hub.consumed_volume(bytes32(order_hash))


async def test_after_a_new_price_the_copies_of_old_offers_buy_nothing(tmp_path: Path) -> None:
    live = tmp_path / "live.env"
    live.write_text("WORKERPOOL_PRICE=0\n")
    options = DevnetOptions(
        workers=1, sdk=True, environment={"order_publisher": {"ORDER_PUBLISHER_LIVE_FILE": str(live)}}
    )
    assert "order_publisher" in SDK_SERVICES
    async with Devnet(options) as net, aiohttp.ClientSession() as http:
        buyer = Buyer(net, await net.create_app("copied", "docker.io/example/copied:1"), http)
        copies = await buyer.until(bool)
        publisher = net.services["order_publisher"]

        live.write_text("WORKERPOOL_PRICE=much\n")
        os.kill(publisher.pid, signal.SIGHUP)
        await logged(publisher.process.log, "configuration.reload_refused")
        assert set(await buyer.offers()) == set(copies), "a wrong file changes nothing"

        live.write_text(f"WORKERPOOL_PRICE={PRICE}\n")
        os.kill(publisher.pid, signal.SIGHUP)
        found = await buyer.until(
            lambda offers: bool(offers) and all(offer.workerpoolprice == PRICE for offer in offers.values())
        )
        assert not set(found) & set(copies)
        for order_hash, copy in copies.items():
            assert await consumed(net, order_hash) == copy.volume, "the hub has closed it"
            with pytest.raises(TransactionError):
                buyer.buy(copy)
        assert publisher.process.running


async def logged(log: Path, event: str) -> dict[str, Any]:
    """Return the first log line of an event, once it is there."""
    async with asyncio.timeout(20):
        while True:
            for line in log.read_text(errors="replace").splitlines():
                if event in line:
                    return {"line": line} if not line.startswith("{") else dict(json.loads(line))
            await asyncio.sleep(0.1)
