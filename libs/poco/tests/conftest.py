"""A plain chain without contracts, and a scripted node for answers that a real one gives rarely."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from workerpool_devnet.chain.anvil import Chain


@pytest.fixture
def plain_chain(tmp_path: Path) -> Iterator[Chain]:
    """Return a chain of this test alone, which mines at once and every second."""
    with Chain(log=tmp_path / "chain.log") as chain:
        yield chain


class ScriptedNode:
    """A node over HTTP that answers each request with a function of the test."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.answer: Callable[[Any], Any] = lambda request: {
            "jsonrpc": "2.0",
            "id": request["id"],
            "result": None,
        }
        self.before: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)
        self.upgrade: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
        """The handler of a WebSocket request; None refuses it."""
        self.url = ""

    def returns(self, result: Any) -> None:
        """Answer every request with one result."""
        self.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": result}

    def refuses(self, code: int, message: str) -> None:
        """Answer every request with one error."""
        error = {"code": code, "message": message}
        self.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "error": error}

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        await self.before()
        answer = self.answer(body)
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    async def handle_upgrade(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=405) if self.upgrade is None else await self.upgrade(request)


@pytest.fixture
async def scripted_node() -> AsyncIterator[ScriptedNode]:
    node = ScriptedNode()
    app = web.Application()
    app.router.add_post("/", node.handle)
    app.router.add_get("/", node.handle_upgrade)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    node.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield node
    await runner.cleanup()
