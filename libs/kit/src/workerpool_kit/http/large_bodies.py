"""Bodies of many MiB, read from the socket into one buffer.

The usual way of a body, through h11, uvicorn and Starlette, copies each byte five times and wakes a task for each
64 KiB. Here a body is copied twice and wakes a task for each piece.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import cast

import h11
from starlette.requests import Request
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.http import remainder

EXTENSION, TAKE = "workerpool.large_body", "take"
"""Extension of the ASGI scope, and its key: a function that returns the `DirectBody` of the request."""
PIECE_BYTES = 1 << 20


class LengthRequired(WorkerpoolError):
    """The request does not say how long its body is."""

    kind = Kind.INVALID
    reason = "LENGTH_REQUIRED"


class BodyIncomplete(WorkerpoolError):
    """The client closed the connection before the end of the body."""

    kind = Kind.UNAVAILABLE
    reason = "BODY_INCOMPLETE"


def body_length(request: Request) -> int:
    """Return the length of a body in bytes. Raises LengthRequired for one without."""
    given = request.headers.get("content-length", "")
    if not (given.isascii() and given.isdigit()):
        raise LengthRequired("the request has no Content-Length; send the size of its body")
    return int(given)


async def body_pieces(request: Request) -> AsyncGenerator[bytes]:
    """Yield the body in pieces of 1 MiB; the last one may be smaller. Close it with `aclosing`.

    A client that asks whether to send its body (`Expect: 100-continue`) is answered at the first piece. The connection
    ends with the answer. Raises LengthRequired and BodyIncomplete.
    """
    rest = body_length(request)
    extension = (request.scope.get("extensions") or {}).get(EXTENSION)
    if extension is None:
        async for piece in request.stream():
            yield piece
        return
    body = cast("Callable[[], DirectBody]", extension[TAKE])()
    buffer = memoryview(bytearray(min(PIECE_BYTES, max(rest, 1))))
    try:
        while rest:
            part = buffer[: min(len(buffer), rest)]
            await body.fill(part)
            rest -= len(part)
            yield bytes(part)
    finally:
        await body.end(rest, buffer)


class DirectBody(asyncio.BufferedProtocol):
    """Takes the place of a connection of uvicorn while the body of its request arrives."""

    def __init__(self, connection: H11Protocol, cycle: RequestResponseCycle) -> None:
        """Take over; the parser is done with the head of the request, and maybe with the first bytes of its body."""
        self._connection = connection
        self._transport = connection.transport
        self._early = memoryview(bytes(cycle.body))
        self._free = memoryview(b"")
        self._filled: asyncio.Future[None] | None = None
        self._ended = False
        self._pause()
        # What else reads the body of this request finds its end.
        cycle.body = bytearray()
        cycle.more_body = False
        cycle.message_event.set()
        # The parser knows nothing of the bytes that pass it by.
        cycle.default_headers = [*cycle.default_headers, CLOSE_HEADER]
        if cycle.waiting_for_100_continue:
            cycle.waiting_for_100_continue = False
            proceed = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self._transport.write(cycle.conn.send(proceed) or b"")
        self._transport.set_protocol(self)

    async def fill(self, buffer: memoryview) -> None:
        """Fill the buffer with the next bytes. Raises BodyIncomplete."""
        early = min(len(self._early), len(buffer))
        buffer[:early] = self._early[:early]
        self._early, self._free = self._early[early:], buffer[early:]
        if not self._free:
            return
        if self._ended or self._transport.is_closing():
            raise _incomplete()
        self._filled = asyncio.get_running_loop().create_future()
        self._transport.resume_reading()
        try:
            await self._filled
        finally:
            self._filled = None
            self._pause()

    async def end(self, rest: int, buffer: memoryview) -> None:
        """Give the connection back. Some of the `rest` is discarded first, so that the client reads the answer."""
        with suppress(BodyIncomplete, TimeoutError):
            async with asyncio.timeout(remainder.LIMIT_S):
                rest = min(rest, remainder.MAX_BYTES)
                while rest:
                    part = buffer[: min(len(buffer), rest)]
                    await self.fill(part)
                    rest -= len(part)
        if not self._ended:
            self._transport.set_protocol(self._connection)
            self._transport.resume_reading()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes belong; the transport asks only while a reader waits."""
        return self._free

    def buffer_updated(self, nbytes: int) -> None:
        """Count the bytes, and wake the reader at the end of its buffer."""
        self._free = self._free[nbytes:]
        if not self._free:
            self._pause()
            if self._filled is not None and not self._filled.done():
                self._filled.set_result(None)

    def eof_received(self) -> None:
        """Tell the reader that the body ends here; the transport then closes the connection."""
        self._break()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the reader and the connection."""
        self._break()
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Tell the connection, which writes the answer."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Tell the connection, which writes the answer."""
        self._connection.resume_writing()

    def _pause(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _break(self) -> None:
        self._ended = True
        if self._filled is not None and not self._filled.done():
            self._filled.set_exception(_incomplete())


def _incomplete() -> BodyIncomplete:
    return BodyIncomplete("the connection ended before the body did; send what is missing")
