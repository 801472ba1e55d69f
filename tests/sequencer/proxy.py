"""The HTTP side of the proxy: requests and batches, faults of whole requests, WebSocket, control."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from typing import Any

import aiohttp
from aiohttp import web

from sequencer import errors
from sequencer.behaviour import Behaviour
from sequencer.blocks import Blocks
from sequencer.errors import NodeGone, RpcError
from sequencer.reading import Reading
from sequencer.sending import Sending
from sequencer.upstream import Upstream

BEHAVIOUR_PATH = "/_behaviour"
"""GET: the behaviour as JSON. PUT: change the given switches from now on."""
CALLS_PATH = "/_calls"
"""GET: calls by method, HTTP statuses and what became of the sends, since the start."""
_HTML = "<html><head><title>503</title></head><body><h1>Service Temporarily Unavailable</h1></body></html>"
_LARGEST_REQUEST = 32 * 2**20
_SENDS = ("eth_sendRawTransaction", "eth_sendRawTransactionSync")


class Proxy:
    """Serves JSON-RPC on 127.0.0.1 and `port`, with anvil at `upstream`. Use as an asynchronous context manager.

    The same `seed` makes the same choices for the same sequence of requests. `behaviour` may change at any time.
    """

    def __init__(self, upstream: str, behaviour: Behaviour, *, port: int, seed: int = 0) -> None:
        self.behaviour = behaviour
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.methods: Counter[str] = Counter()
        """Calls by method, refused ones included."""
        self.statuses: Counter[str] = Counter()
        """Answered requests by HTTP status, and those that were cut."""
        self._chance = random.Random(seed)
        self._node = Upstream(upstream)
        self._blocks = Blocks(self._node, lambda: self.behaviour, self._chance)
        self._sending = Sending(self._node, self._blocks, lambda: self.behaviour, self._chance)
        self._reading = Reading(self._node, lambda: self.behaviour, self._chance)
        self._budget, self._budget_at = 0.0, 0.0
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Proxy:
        """Listen."""
        await self._open.enter_async_context(self._node)
        await self._blocks.begin()
        blocks = asyncio.create_task(self._blocks.run(), name="blocks")
        self._open.push_async_callback(_end, blocks)
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        app.router.add_get(BEHAVIOUR_PATH, self._show_behaviour)
        app.router.add_put(BEHAVIOUR_PATH, self._change_behaviour)
        app.router.add_get(CALLS_PATH, self._show_calls)
        app.router.add_get("/{path:.*}", self._upgrade)
        app.router.add_post("/{path:.*}", self._post)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await runner.setup()
        self._open.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._open.aclose()

    def calls(self) -> dict[str, dict[str, int]]:
        """Return what was counted since the start."""
        counted = {"methods": self.methods, "statuses": self.statuses, "sends": self._sending.counts}
        return {name: dict(counter.most_common()) for name, counter in counted.items()}

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            asked = json.loads(body)
        except ValueError:
            answer = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}}
            return self._json(answer)
        calls = asked if isinstance(asked, list) else [asked]
        self.methods.update(str(call.get("method")) for call in calls)
        if (refused := await self._refuse(request, len(calls))) is not None:
            return refused
        try:
            answers = await self._answers(calls)
        except NodeGone as gone:
            return self._text(502, f"bad gateway: {gone}")
        text = json.dumps(answers if isinstance(asked, list) else answers[0])
        if self._happens(self.behaviour.cut_probability):
            return self._cut(request)
        if self._happens(self.behaviour.truncated_probability):
            return self._text(200, text[: len(text) * 2 // 3], "application/json")
        return self._text(200, text, "application/json")

    async def _answers(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        behaviour = self.behaviour
        # One back-end answers a whole request.
        lag = behaviour.lag_blocks if self._happens(behaviour.lag_probability) else 0
        if behaviour.serial_batches:
            return [await self._answer(call, lag) for call in calls]
        return list(await asyncio.gather(*(self._answer(call, lag) for call in calls)))

    async def _answer(self, call: dict[str, Any], lag: int) -> dict[str, Any]:
        answer = {"jsonrpc": "2.0", "id": call.get("id")}
        try:
            return answer | {"result": await self._result(str(call["method"]), call.get("params") or [], lag)}
        except RpcError as error:
            return answer | {"error": error.as_json()}

    async def _result(self, method: str, params: list[Any], lag: int) -> Any:
        if self._happens(self.behaviour.compute_units_probability):
            raise errors.no_compute_units()
        if method not in _SENDS:
            return await self._reading.answer(method, params, lag)
        name = await self._sending.send(str(params[0]))
        if method == "eth_sendRawTransaction":
            return name
        return await self._reading.answer("eth_getTransactionReceipt", [name], lag=0)

    async def _refuse(self, request: web.Request, calls: int) -> web.StreamResponse | None:
        """Return the answer to a request that a bad node does not execute; None for one that it does."""
        behaviour = self.behaviour
        if self._happens(behaviour.too_many_probability) or self._over_budget(calls):
            headers = {"Retry-After": f"{behaviour.retry_after_s:g}"} if behaviour.retry_after_s >= 0 else {}
            return self._text(429, "Too Many Requests", headers=headers)
        if self._happens(behaviour.bad_gateway_probability):
            return self._text(502, "Bad Gateway")
        if self._happens(behaviour.html_probability):
            return self._text(200, _HTML, "text/html")
        if self._happens(behaviour.silent_probability):
            while request.transport is not None:
                await asyncio.sleep(0.1)
            return self._cut(request)
        return None

    def _over_budget(self, calls: int) -> bool:
        """Return whether a request is above the rate; a budget of one second is kept."""
        rate, now = self.behaviour.calls_per_second, asyncio.get_running_loop().time()
        if not rate:
            return False
        self._budget = min(rate, self._budget + (now - self._budget_at) * rate)
        self._budget_at = now
        if self._budget < min(calls, rate):
            return True
        self._budget -= calls
        return False

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        if not self.behaviour.websocket or request.headers.get("Upgrade", "").lower() != "websocket":
            return self._text(405, "method not allowed")
        client = web.WebSocketResponse(max_msg_size=_LARGEST_REQUEST)
        await client.prepare(request)
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(self._node.url.replace("http", "ws", 1), max_msg_size=_LARGEST_REQUEST) as node,
        ):
            pumps = [asyncio.create_task(_pump(client, node)), asyncio.create_task(_pump(node, client))]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    await _end(pump)
        await client.close()
        return client

    async def _show_behaviour(self, _: web.Request) -> web.Response:
        return web.json_response(vars(self.behaviour))

    async def _change_behaviour(self, request: web.Request) -> web.Response:
        try:
            self.behaviour = self.behaviour.changed(await request.json())
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        return web.json_response(vars(self.behaviour))

    async def _show_calls(self, _: web.Request) -> web.Response:
        return web.json_response(self.calls())

    def _json(self, answer: object) -> web.Response:
        return self._text(200, json.dumps(answer), "application/json")

    def _text(
        self, status: int, text: str, kind: str = "text/plain", headers: dict[str, str] | None = None
    ) -> web.Response:
        self.statuses[str(status)] += 1
        return web.Response(status=status, text=text, content_type=kind, headers=headers)

    def _cut(self, request: web.Request) -> web.Response:
        self.statuses["cut"] += 1
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability


async def _pump(source: Any, target: Any) -> None:
    async for message in source:
        await target.send_str(message.data)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError, ConnectionError):
        await task
