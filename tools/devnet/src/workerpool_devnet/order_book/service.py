"""The running market: wires its parts and serves them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.process import Lifetime, StartupError, version_of
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import PocoError

from workerpool_devnet.order_book.book import Book
from workerpool_devnet.order_book.challenges import Challenges
from workerpool_devnet.order_book.facts import ChainFacts
from workerpool_devnet.order_book.market import OrderBook
from workerpool_devnet.order_book.routes import routes
from workerpool_devnet.order_book.settings import OrderBookSettings


@asynccontextmanager
async def serving(settings: OrderBookSettings) -> AsyncIterator[int]:
    """Serve the market inside the context, which yields its port. Raises StartupError."""
    async with AsyncExitStack() as stack:
        hub = HubClient(settings.node_url, settings.hub_address, chain_id=settings.chain_id)
        stack.push_async_callback(hub.close)
        try:
            await hub.connect()
        except PocoError as error:
            raise StartupError(f"the market cannot read the hub: {error}; is the chain up?") from error
        book = Book(settings.journal)
        stack.callback(book.close)
        challenges = Challenges(hub.chain_id, time.monotonic)
        health = Health()
        http = HttpServer(
            settings.http_port,
            host=settings.http_bind,
            health=health,
            version=version_of(OrderBookSettings),
            routes=routes(OrderBook(hub.order_domain, book, ChainFacts(hub), challenges)),
            for_browsers=True,
        )
        stack.push_async_callback(http.stop)
        await http.start()
        health.set("market", True)
        yield http.port


async def serve(settings: OrderBookSettings, lifetime: Lifetime) -> None:
    """Serve the market until a stop is requested. Raises StartupError."""
    async with serving(settings):
        await lifetime.stopped()
