"""A node of one process: a small honest chain over HTTP JSON-RPC, and every way in which a node is known to fail.

The tests of several libraries use it. A fault is a function of the request: it answers instead of the chain, or returns
None to let the chain answer.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

AnyNode = TypeVar("AnyNode", bound="Node")

CHAIN_ID = 65535
GAS_PRICE, BASE_FEE, TIP, BALANCE, GAS = 10**9, 10**8, 10**6, 10**18, 60_000
BLOCK_HASH = "0x" + "b1" * 32

Body = Any
"""The decoded body of one HTTP request: a JSON-RPC request, or a list of them."""
Fault = Callable[[Body], Awaitable[web.StreamResponse | None]]


class Node:
    """The honest answers, by method; a test changes them through `results` and `errors`."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[Body] = []
        self.fault: Fault | None = None
        self.header: dict[str, Any] = {
            "number": "0x10",
            "hash": BLOCK_HASH,
            "parentHash": "0x" + "a0" * 32,
            "timestamp": "0x65000000",
            "gasLimit": hex(30_000_000),
            "gasUsed": "0x0",
            "baseFeePerGas": hex(BASE_FEE),
        }
        self.receipts: dict[str, Any] = {}
        self.known: dict[str, Any] = {}
        self.results: dict[str, Any] = {
            "eth_chainId": hex(CHAIN_ID),
            "eth_blockNumber": "0x10",
            "eth_gasPrice": hex(GAS_PRICE),
            "eth_maxPriorityFeePerGas": hex(TIP),
            "eth_getBalance": hex(BALANCE),
            "eth_estimateGas": hex(GAS),
            "eth_getTransactionCount": "0x7",
            "eth_sendRawTransaction": "0x" + "77" * 32,
            "web3_clientVersion": "anvil/v1",
        }
        self.errors: dict[str, dict[str, Any]] = {}

    def refuses(self, method: str, code: int, message: str, data: Any = None) -> None:
        """Answer a method with a JSON-RPC error."""
        self.errors[method] = {"code": code, "message": message, "data": data}

    def mines(self, transaction: str, **fields: Any) -> None:
        """Add a mined transaction with its receipt."""
        self.known[transaction] = {"hash": transaction, "blockNumber": "0x9"}
        self.receipts[transaction] = {
            "transactionHash": transaction,
            "blockNumber": "0x9",
            "blockHash": BLOCK_HASH,
            "status": "0x1",
            "gasUsed": "0x5208",
            "logs": [],
            **fields,
        }

    @property
    def requests(self) -> list[Any]:
        """Every JSON-RPC request so far, in order."""
        return [each for body in self.bodies for each in (body if isinstance(body, list) else [body])]

    def calls_of(self, method: str) -> int:
        """Return how often a method was requested."""
        return sum(each["method"] == method for each in self.requests)

    def answer(self, request: Any) -> dict[str, Any]:
        """Return the honest answer to one request."""
        method, head = request["method"], {"jsonrpc": "2.0", "id": request["id"]}
        if method in self.errors:
            return {**head, "error": self.errors[method]}
        if method == "eth_getBlockByNumber" and method not in self.results:
            return {**head, "result": self.header}
        by_hash = {"eth_getTransactionReceipt": self.receipts, "eth_getTransactionByHash": self.known}
        if method in by_hash and method not in self.results:
            return {**head, "result": by_hash[method].get(request["params"][0])}
        if method not in self.results:
            return {**head, "error": {"code": -32601, "message": f"the method {method} does not exist"}}
        return {**head, "result": self.results[method]}

    def honest(self, body: Body) -> Any:
        """Return the honest answer to a request or to a batch."""
        return [self.answer(each) for each in body] if isinstance(body, list) else self.answer(body)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        answer = None if self.fault is None else await self.fault(body)
        return web.json_response(self.honest(body)) if answer is None else answer


class Relay(Node):
    """A node whose honest answers are those of another one."""

    def __init__(self, upstream: str, http: aiohttp.ClientSession) -> None:
        super().__init__()
        self._upstream = upstream
        self._http = http

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        answer = None if self.fault is None else await self.fault(body)
        if answer is not None:
            return answer
        async with self._http.post(self._upstream, json=body) as response:
            return web.Response(body=await response.read(), content_type="application/json")


@asynccontextmanager
async def running_relay(upstream: str) -> AsyncIterator[Relay]:
    """Serve another node's answers at a free port until the block ends."""
    async with aiohttp.ClientSession() as http, _served(Relay(upstream, http)) as relay:
        yield relay


@asynccontextmanager
async def running_node() -> AsyncIterator[Node]:
    """Serve a node at a free port until the block ends."""
    async with _served(Node()) as node:
        yield node


@asynccontextmanager
async def _served(node: AnyNode) -> AsyncIterator[AnyNode]:
    app = web.Application()
    app.router.add_post("/", node.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        node.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield node
    finally:
        await runner.cleanup()


# --- faults ----------------------------------------------------------------------------------------------------------


def times(count: int, fault: Fault) -> Fault:
    """Return a fault that ends after so many requests."""
    left = count

    async def some(body: Body) -> web.StreamResponse | None:
        nonlocal left
        left -= 1
        return await fault(body) if left >= 0 else None

    return some


def after(count: int, fault: Fault) -> Fault:
    """Return a fault that begins after so many requests."""
    left = count

    async def later(body: Body) -> web.StreamResponse | None:
        nonlocal left
        left -= 1
        return await fault(body) if left < 0 else None

    return later


def answers_http(status: int, text: str = "", headers: dict[str, str] | None = None) -> Fault:
    """Return a fault that answers an HTTP status and a text, such as the HTML page of a gateway."""

    async def fault(_: Body) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=headers, content_type="text/html")

    return fault


def answers_text(text: str) -> Fault:
    """Return a fault that answers a text with status 200, such as a truncated JSON text."""
    return answers_http(200, text)


def answers_every(result: Any) -> Fault:
    """Return a fault that gives one result for every request, alone and in batches."""

    async def fault(body: Body) -> web.StreamResponse:
        def one(request: Any) -> dict[str, Any]:
            return {"jsonrpc": "2.0", "id": request["id"], "result": result}

        return web.json_response([one(each) for each in body] if isinstance(body, list) else one(body))

    return fault


def refuses_every(code: int, message: str, status: int = 200) -> Fault:
    """Return a fault that refuses every request with a JSON-RPC error."""

    async def fault(body: Body) -> web.StreamResponse:
        def one(request: Any) -> dict[str, Any]:
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message}}

        answer = [one(each) for each in body] if isinstance(body, list) else one(body)
        return web.json_response(answer, status=status)

    return fault


def truncates(node: Node) -> Fault:
    """Return a fault that sends half of each honest answer, with a matching length."""

    async def fault(body: Body) -> web.StreamResponse:
        text = json.dumps(node.honest(body))
        return web.Response(text=text[: len(text) // 2], content_type="application/json")

    return fault


def cuts_connections() -> Fault:
    """Return a fault that closes the connection in the middle of an answer."""

    async def fault(_: Body) -> web.StreamResponse:
        return _Cut()

    return fault


class _Cut(web.Response):
    """An answer that announces more bytes than it sends."""

    async def prepare(self, request: Any) -> Any:
        transport = request.transport
        if transport is not None:
            transport.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"jsonrpc"')
            transport.close()
        return None


def drops_answers(methods: Sequence[str], node: Node) -> Fault:
    """Return a fault that leaves the answers to some methods out of batches."""

    async def fault(body: Body) -> web.StreamResponse | None:
        if not isinstance(body, list):
            return None
        return web.json_response([node.answer(each) for each in body if each["method"] not in methods])

    return fault
