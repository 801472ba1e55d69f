"""A small market over HTTP whose answers a test replaces."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import bytes32, from_hex, to_hex
from workerpool_poco.protocol.orders import WorkerpoolOrder
from workerpool_poco.protocol.signatures import recover_address

CHALLENGE = Eip712Domain("iExec Gateway", "1", 65535)


@dataclass
class FakeMarket:
    """Keeps orders of one wallet; `answer` replaces the answer to every request while it is set."""

    domain: Eip712Domain
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    answer: Callable[[web.Request], web.StreamResponse | None] = lambda _request: None
    issued: int = 0
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.query)))
        replaced = self.answer(request)
        if replaced is not None:
            return replaced
        if request.path == "/challenge":
            self.issued += 1
            typed = CHALLENGE.to_json("Challenge(string challenge)", {"challenge": f"text {self.issued}"})
            return web.json_response({"ok": True, "data": typed})
        if request.method == "GET" and request.path == "/workerpoolorders":
            return self._page(request)
        if request.method == "GET":
            found = self.orders.get(request.path.rsplit("/", 1)[1])
            return web.json_response({"ok": True, **found}) if found else refusal(404, "unknown order")
        signer = self._signer(request)
        body = json.loads(await request.text())
        if request.method == "POST":
            order = WorkerpoolOrder.from_json(body["order"])
            order_hash = to_hex(order.hash(self.domain))
            if recover_address(bytes32(order_hash), order.sign) != signer:
                return refusal(401, "not signed by the owner")
            if order_hash in self.orders:
                return refusal(409, "published already")
            entry = {"orderHash": order_hash, "order": body["order"], "signer": signer, "status": "open"}
            self.orders[order_hash] = entry
            return web.json_response({"ok": True, "published": entry})
        if body["target"] == "unpublish_all":
            gone = list(self.orders)
        else:
            gone = [order_hash for order_hash in (body["orderHash"],) if order_hash in self.orders]
        for order_hash in gone:
            del self.orders[order_hash]
        return web.json_response({"ok": True, "unpublished": gone}) if gone else refusal(404, "no such order")

    def _page(self, request: web.Request) -> web.Response:
        index, size = int(request.query["pageIndex"]), int(request.query["pageSize"])
        entries = list(self.orders.values())
        answer: dict[str, Any] = {"ok": True, "count": len(entries)}
        answer["orders"] = entries[index * size : (index + 1) * size]
        if len(entries) > (index + 1) * size:
            answer["nextPage"] = index + 1
        return web.json_response(answer)

    def _signer(self, request: web.Request) -> str:
        digest, signature, address = request.headers["Authorization"].split("_")
        assert digest == to_hex(CHALLENGE.digest("Challenge(string challenge)", [f"text {self.issued}"]))
        assert recover_address(bytes32(digest), from_hex(signature)) == address
        return address


def refusal(status: int, error: str) -> web.Response:
    """Return a refusal in the market's form."""
    return web.json_response({"ok": False, "error": error}, status=status)


@asynccontextmanager
async def served(market: FakeMarket) -> AsyncIterator[FakeMarket]:
    """Serve a market on a free port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", market.handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    market.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield market
    finally:
        await runner.cleanup()
