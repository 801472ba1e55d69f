"""New heads of the chain: over a WebSocket when the node offers one, by polling otherwise."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidURI,
    WebSocketException,
)

from workerpool_poco.chain.history import read_block
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import ChainUnreachable, PocoError, RpcError
from workerpool_poco.protocol.model import Block

_MIN_PERIOD_S, _MAX_PERIOD_S = 0.05, 1.0
_MIN_BACKOFF_S, _MAX_BACKOFF_S = 0.1, 5.0
_MAX_SILENCE_S = 5.0
"""Seconds without a head after which the stream checks a subscription with a request."""

_OUTAGES = (
    ChainUnreachable,
    RpcError,
    WebSocketException,
    OSError,
    TimeoutError,
    ValueError,
    AttributeError,
    KeyError,
    TypeError,
)
"""Exceptions caused by a node that is down, restarting or sends malformed answers."""


class _NoWebSocket(PocoError):
    """The node offers no WebSocket with subscriptions at its address."""


class HeadStream:
    """The latest block of a node, updated in the background.

    `async for head in stream` yields the latest head at once and again after each change; several loops may read one
    stream. A slow reader skips heads: it gets the newest one and reads the blocks between by number. After a
    reorganisation the head has another hash, possibly with a lower number.

    The stream reconnects after an outage with exponential backoff, and calls `on_outage` and `on_return` once per
    outage.
    """

    def __init__(
        self,
        node_url: str,
        *,
        block_time: float = 1.0,
        websocket: bool = True,
        timeout: float = 10.0,
        on_outage: Callable[[Exception], None] | None = None,
        on_return: Callable[[], None] | None = None,
    ) -> None:
        """Prepare, without connecting.

        Args:
            node_url: HTTP(S) URL of the node; the stream tries a WebSocket at the same address.
            block_time: expected seconds between blocks; the polling period is a tenth of it, at least 50 ms and at
                most 1 s.
            websocket: False disables the WebSocket.
            timeout: time limit of one request, in seconds.
            on_outage: callback for the error when the node stops answering.
            on_return: callback when it answers again.
        """
        self.latest: Block | None = None
        self.reachable = False
        self.mode: Literal["connecting", "websocket", "polling"] = "connecting"
        self._http_url = node_url
        self._websocket_enabled = self._try_websocket = websocket
        self._period = min(max(block_time / 10, _MIN_PERIOD_S), _MAX_PERIOD_S)
        self._timeout = timeout
        self._on_outage = on_outage
        self._on_return = on_return
        self._in_outage = False
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def start(self) -> None:
        """Start a background task in the running event loop that follows the chain."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="head-stream")

    async def stop(self) -> None:
        """Stop following the chain; loops over the stream end."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._notify()

    async def __aiter__(self) -> AsyncIterator[Block]:
        """Yield the latest head, then every change of it, until the stream is stopped."""
        self.start()
        seen: Block | None = None
        while self._task is not None:
            changed = self._changed
            if self.latest is not None and self.latest != seen:
                seen = self.latest
                yield seen
            else:
                await changed.wait()

    async def wait_change(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a new head; return whether one came."""
        changed = self._changed
        try:
            async with asyncio.timeout(timeout):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    async def wait_block(self, number: int) -> Block:
        """Wait until the chain reaches a block number; return the head.

        Raises `ChainUnreachable` when the stream stops first.
        """
        async for head in self:
            if head.number >= number:
                return head
        raise ChainUnreachable("the head stream was stopped")

    # --- following -----------------------------------------------------------

    async def _run(self) -> None:
        pause = _MIN_BACKOFF_S
        while True:
            before = self.latest
            try:
                if self._try_websocket:
                    await self._subscribe()
                else:
                    await self._poll()
            except _NoWebSocket:
                self._try_websocket = False
                continue
            except _OUTAGES as error:
                self._record_outage(error)
            if self.latest != before:
                pause = _MIN_BACKOFF_S
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _MAX_BACKOFF_S)

    async def _poll(self) -> None:
        rpc = JsonRpc(self._http_url, timeout=self._timeout, attempts=1, max_connections=1)
        try:
            while True:
                self._record_head(
                    read_block(await rpc.call("eth_getBlockByNumber", "latest", False)), "polling"
                )
                await asyncio.sleep(self._period)
        finally:
            await rpc.close()

    async def _subscribe(self) -> None:
        url = (
            "ws" + self._http_url.removeprefix("http")
            if self._http_url.startswith("http")
            else self._http_url
        )
        try:
            connection = await connect(
                url, open_timeout=self._timeout, ping_interval=10, ping_timeout=self._timeout, max_size=2**24
            )
        except (InvalidHandshake, InvalidMessage, InvalidURI, TimeoutError) as cause:
            raise _NoWebSocket(str(cause)) from cause
        async with connection:
            try:
                await self._send(connection, 1, "eth_subscribe", ["newHeads"])
                await self._request_latest(connection)
                async with asyncio.timeout(self._timeout):
                    await self._receive(connection, until_id=1)
            except (ConnectionClosed, TimeoutError) as cause:
                raise _NoWebSocket(f"no answer over the WebSocket: {cause!r}") from cause
            while True:
                try:
                    async with asyncio.timeout(_MAX_SILENCE_S):
                        await self._receive(connection)
                except TimeoutError:
                    await self._request_latest(connection)
                    async with asyncio.timeout(self._timeout):
                        await self._receive(connection, until_id=2)

    async def _request_latest(self, connection: ClientConnection) -> None:
        await self._send(connection, 2, "eth_getBlockByNumber", ["latest", False])

    @staticmethod
    async def _send(connection: ClientConnection, request: int, method: str, params: list[Any]) -> None:
        message = {"jsonrpc": "2.0", "id": request, "method": method, "params": params}
        await connection.send(json.dumps(message))

    async def _receive(self, connection: ClientConnection, until_id: int | None = None) -> None:
        """Receive one message, or all up to the answer `until_id`, and record the heads in them."""
        while True:
            message = json.loads(await connection.recv())
            identity = message.get("id")
            if identity == 1 and "error" in message:
                raise _NoWebSocket(str(message["error"]))
            head = message.get("params", {}).get("result") if identity is None else message.get("result")
            if isinstance(head, dict) and "parentHash" in head:
                self._record_head(read_block(head), "websocket")
            if until_id in (None, identity):
                return

    # --- state ---------------------------------------------------------------

    def _record_head(self, head: Block, mode: Literal["websocket", "polling"]) -> None:
        self.mode = mode
        self.reachable = True
        if self._in_outage:
            self._in_outage = False
            if self._on_return is not None:
                self._on_return()
        if head != self.latest:
            self.latest = head
            self._notify()

    def _record_outage(self, error: Exception) -> None:
        self.reachable = False
        self._try_websocket = self._websocket_enabled
        if not self._in_outage:
            self._in_outage = True
            if self._on_outage is not None:
                self._on_outage(error)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
