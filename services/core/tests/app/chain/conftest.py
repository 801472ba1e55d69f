"""A provider with lagging nodes in front of a real chain."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from workerpool_devnet.pytest_plugin import PocoChain


class Provider:
    """A proxy of a chain. `spoil` may replace the answer to a request; None keeps the chain's."""

    def __init__(self, chain_url: str) -> None:
        self._chain_url = chain_url
        self.spoil: Callable[[str, list[Any]], Any] = lambda _method, _params: None
        self.requests: list[tuple[str, list[Any]]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        if isinstance(body, list):
            return web.json_response([await self._one(item) for item in body])
        answer = await self._one(body)
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    async def _one(self, body: dict[str, Any]) -> Any:
        method, params = body["method"], body["params"]
        self.requests.append((method, params))
        spoiled = self.spoil(method, params)
        if isinstance(spoiled, web.Response):
            return spoiled
        if spoiled is not None:
            return {"jsonrpc": "2.0", "id": body["id"], **spoiled}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._chain_url, json=body) as response,
        ):
            return await response.json()


@pytest.fixture
async def provider(fresh_poco_chain: PocoChain) -> AsyncIterator[Provider]:
    provider = Provider(fresh_poco_chain.url)
    app = web.Application()
    app.router.add_post("/", provider.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield provider
    await runner.cleanup()
