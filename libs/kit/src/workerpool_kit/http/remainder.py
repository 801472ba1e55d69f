"""Reads the rest of a request before its answer.

A server that refuses a request early and closes its connection, while the body still comes, resets the connection. The
sender then loses the answer: nginx answers 502 instead, other clients report a broken connection.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 32 << 20
"""Bytes of a body that are read: as many as a reverse proxy forwards (`client_max_body_size` in docs/addresses.md)."""
LIMIT_S = 10.0
"""Seconds to wait for them."""


def read_on(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that each answer waits for the body of its request, which is discarded.

    After `MAX_BYTES` or `LIMIT_S` the answer is sent anyway. A client that asks whether to send its body
    (`Expect: 100-continue`) is answered at once.
    """

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _announces_body(scope):
            await app(scope, receive, send)
            return
        body = _Body(receive, asked=_header(scope, b"expect") is not None)

        async def send_after_the_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                await body.discard(MAX_BYTES, LIMIT_S)
            await send(message)

        await app(scope, body.receive, send_after_the_body)

    return reading


class _Body:
    """The body of one request, and how much of it has arrived."""

    def __init__(self, receive: Receive, *, asked: bool) -> None:
        self._receive = receive
        self._complete = False
        self._held_back = asked

    async def receive(self) -> Message:
        """Return the next message; reading a body makes its client send it."""
        self._held_back = False
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._complete = True
        return message

    async def discard(self, max_bytes: int, limit_s: float) -> None:
        """Read the rest within the limits."""
        if self._held_back:
            return
        try:
            async with asyncio.timeout(limit_s):
                while not self._complete and max_bytes > 0:
                    max_bytes -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            pass


def _announces_body(scope: Scope) -> bool:
    return _header(scope, b"transfer-encoding") is not None or _header(scope, b"content-length") not in (
        None,
        b"0",
    )


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)
