"""New heads of the chain: over a WebSocket when the node offers one, by polling otherwise.

Providers bill each request, so a process that waits for no block polls rarely.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidURI,
)

from workerpool_poco.chain.answers import malformed, read_block, read_quantity
from workerpool_poco.chain.proxies import proxy_of
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.errors import ChainUnreachable, PocoError, WrongChain
from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.model import Block

_BUSY_PERIOD_S = (0.25, 1.0)
"""Shortest and longest poll period in seconds while the process waits for blocks: a quarter of the block time."""
_IDLE_PERIOD_S = (2.0, 5.0)
"""Shortest and longest poll period in seconds of an idle process: the block time. Providers bill each request."""
_MIN_BACKOFF_S, _MAX_BACKOFF_S = 0.1, 5.0
_WEBSOCKET_AGAIN_S = (15.0, 600.0)
"""Seconds until the next attempt to open a WebSocket: to a node that had one, and to a node that never had."""
_HANDSHAKE_S = 5.0
"""Longest wait for a WebSocket's handshake, during which no heads arrive."""
_LONG_OUTAGE_S = 60.0
"""After an outage of this length another node may answer, so its WebSocket is tried immediately."""
_MAX_SILENCE_S = 5.0
"""Seconds without a head after which the stream checks a subscription with a request."""

CreateTask = Callable[..., "asyncio.Task[None]"]
"""Starts a coroutine as a task with a `name`, such as `asyncio.create_task`."""


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
        busy: Callable[[], bool] = lambda: True,
        websocket: bool = True,
        timeout: float = 10.0,
        on_outage: Callable[[Exception], None] | None = None,
        on_return: Callable[[], None] | None = None,
        create_task: CreateTask = asyncio.create_task,
        chain_id: int | None = None,
        traffic: Traffic | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create it without connecting.

        Args:
            node_url: HTTP(S) URL of the node; the stream tries a WebSocket at the same address.
            block_time: expected seconds between blocks. A busy process polls four times per block, every
                0.25 to 1 s; an idle one once per block, every 2 to 5 s.
            busy: called before each poll; returns whether the process waits for blocks. Call `wake` when it begins to.
            websocket: False disables the WebSocket.
            timeout: time limit of one request, in seconds.
            on_outage: callback for the error when the node stops answering.
            on_return: callback when it answers again.
            create_task: starts the background task; a service passes one that supervises it.
            chain_id: the expected chain: each new connection is checked, and heads of another chain are not taken.
                None accepts any.
            traffic: the calls of this process to the node, shared by its clients.
            monotonic: clock of the waits for another attempt of a WebSocket, in seconds.
        """
        self.latest: Block | None = None
        self.reachable = False
        self.outage: Exception | None = None
        """Why the node does not answer; None while it does, and before the first attempt."""
        self.mode: Literal["connecting", "websocket", "polling"] = "connecting"
        self._http_url = node_url
        self._websocket_at = 0.0 if websocket else float("inf")
        self._had_websocket = False
        self._busy = busy
        self._busy_period = _within(block_time / 4, _BUSY_PERIOD_S)
        self._idle_period = _within(block_time, _IDLE_PERIOD_S)
        self._woken = asyncio.Event()
        self._timeout = timeout
        self._monotonic = monotonic
        self._on_outage = on_outage
        self._on_return = on_return
        self._create_task = create_task
        self._chain_id = chain_id
        self._traffic = traffic or Traffic()
        self._outage: str | None = None
        self._backoff = _MIN_BACKOFF_S
        self._outage_since = 0.0
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
            self._task = self._create_task(self._run(), name="head-stream")

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

    def wake(self) -> None:
        """Poll immediately, because the process has become busy."""
        self._woken.set()

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
        while True:
            before = self.latest
            try:
                if self._monotonic() >= self._websocket_at:
                    await self._subscribe()
                else:
                    await self._poll()
                    continue
            except _NoWebSocket:
                again = _WEBSOCKET_AGAIN_S[0 if self._had_websocket else 1]
                self._websocket_at = self._monotonic() + again
                self._had_websocket = False
                continue
            except Exception as error:
                # The node is down, restarts or sends malformed answers. No answer of a node may end the stream: the
                # process would stay without heads.
                self._record_outage(error)
            if self.latest != before:
                self._backoff = _MIN_BACKOFF_S
            await asyncio.sleep(self._backoff * random.uniform(0.5, 1.0))
            self._backoff = min(self._backoff * 2, _MAX_BACKOFF_S)

    async def _poll(self) -> None:
        """Poll the latest block until a WebSocket may be tried again in an idle moment."""
        rpc = JsonRpc(
            self._http_url, timeout=self._timeout, attempts=1, max_connections=1, traffic=self._traffic
        )
        if self._chain_id is not None:
            rpc.expect_chain(self._chain_id)
        try:
            while self._monotonic() < self._websocket_at or self._busy():
                self._woken.clear()
                method = "eth_getBlockByNumber"
                self._record_head(read_block(method, await rpc.call(method, "latest", False)), "polling")
                # A node with occasional failures, without a new block in between, is not in one long outage.
                self._backoff = _MIN_BACKOFF_S
                await self._pause()
        finally:
            await rpc.close()

    async def _pause(self) -> None:
        """Wait until the next poll: an idle process that becomes busy polls immediately."""
        if self._busy():
            await asyncio.sleep(self._busy_period)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._idle_period):
                await self._woken.wait()

    async def _subscribe(self) -> None:
        url = (
            "ws" + self._http_url.removeprefix("http")
            if self._http_url.startswith("http")
            else self._http_url
        )
        try:
            connection = await connect(
                url,
                open_timeout=min(self._timeout, _HANDSHAKE_S),
                ping_interval=10,
                ping_timeout=self._timeout,
                # The library reads the environment too, but would send calls to this host through the proxy.
                proxy=proxy_of(url),
                max_size=2**24,
            )
        except (InvalidHandshake, InvalidMessage, InvalidURI, TimeoutError) as cause:
            raise _NoWebSocket(str(cause)) from cause
        async with connection:
            try:
                await self._check_chain(connection)
                await self._send(connection, 1, "eth_subscribe", ["newHeads"])
                await self._request_latest(connection)
                async with asyncio.timeout(self._timeout):
                    await self._receive(connection, until_id=1)
            except (ConnectionClosed, TimeoutError) as cause:
                raise _NoWebSocket(f"no answer over the WebSocket: {cause!r}") from cause
            self._had_websocket = True
            while True:
                try:
                    async with asyncio.timeout(_MAX_SILENCE_S):
                        await self._receive(connection)
                except TimeoutError:
                    await self._request_latest(connection)
                    async with asyncio.timeout(self._timeout):
                        await self._receive(connection, until_id=2)

    async def _check_chain(self, connection: ClientConnection) -> None:
        """Raise WrongChain when the node behind a new connection serves another chain."""
        if self._chain_id is None:
            return
        await self._send(connection, 3, "eth_chainId", [])
        async with asyncio.timeout(self._timeout):
            message = _message(await connection.recv())
        if (found := read_quantity("eth_chainId", message.get("result"))) != self._chain_id:
            raise WrongChain(f"the node serves chain {found}, not {self._chain_id}")

    async def _request_latest(self, connection: ClientConnection) -> None:
        await self._send(connection, 2, "eth_getBlockByNumber", ["latest", False])

    async def _send(self, connection: ClientConnection, request: int, method: str, params: list[Any]) -> None:
        self._traffic.count(method)
        message = {"jsonrpc": "2.0", "id": request, "method": method, "params": params}
        await connection.send(json.dumps(message))

    async def _receive(self, connection: ClientConnection, until_id: int | None = None) -> None:
        """Receive one message, or all up to the answer `until_id`, and record the heads in them."""
        while True:
            message = _message(await connection.recv())
            identity, pushed = message.get("id"), message.get("params")
            if identity == 1 and "error" in message:
                raise _NoWebSocket(str(message["error"]))
            head = message.get("result")
            if identity is None and isinstance(pushed, dict):
                head = pushed.get("result")
            if isinstance(head, dict) and "parentHash" in head:
                self._record_head(read_block("eth_subscribe", head), "websocket")
            if until_id in (None, identity):
                return

    # --- state ---------------------------------------------------------------

    def _record_head(self, head: Block, mode: Literal["websocket", "polling"]) -> None:
        self.mode = mode
        self.reachable = True
        self.outage = None
        if self._outage is not None:
            if self._websocket_at < float("inf") and self._monotonic() - self._outage_since >= _LONG_OUTAGE_S:
                self._websocket_at = 0.0
            self._outage = None
            if self._on_return is not None:
                self._on_return()
        if head != self.latest:
            self.latest = head
            self._notify()

    def _record_outage(self, error: Exception) -> None:
        self.reachable = False
        self.outage = error
        # A node of another chain that replaces a dead one is another outage.
        kind = "wrong chain" if isinstance(error, WrongChain) else "no answer"
        if kind != self._outage:
            if self._outage is None:
                self._outage_since = self._monotonic()
            self._outage = kind
            if self._on_outage is not None:
                self._on_outage(error)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _message(content: str | bytes) -> dict[str, Any]:
    """Return a JSON-RPC message of a WebSocket. Raises `MalformedNodeAnswer`."""
    try:
        message = loads_bounded(content, max_bytes=None)
    except ValueError:
        message = content
    if not isinstance(message, dict):
        raise malformed("a subscription", message)
    return message


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
