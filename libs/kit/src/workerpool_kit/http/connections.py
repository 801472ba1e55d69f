"""Connections to the HTTP port, bounded in number and time: they are public, and each holds a file descriptor."""

import asyncio
from functools import partial

from uvicorn.protocols.http.h11_impl import H11Protocol

from workerpool_kit.http.large_bodies import EXTENSION, TAKE, DirectBody


class BoundedConnection(H11Protocol):
    """uvicorn's connection with time limits; uvicorn itself has none for a request or for the reader of a response.

    The limits are attributes of the class, in seconds and in connections of the whole server.
    """

    request_limit_s = 10.0
    """Time from connecting, or from the last response, to a complete request head."""
    reading_limit_s = 60.0
    """Time for a client to read what fills the buffers."""
    max_connections = 2_000
    """Connections of the whole server."""

    _waits_for_request: asyncio.TimerHandle | None = None
    _waits_for_reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the request timer; abort a connection above the limit."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.abort()
        else:
            self._expect_request()

    def handle_events(self) -> None:
        """Read; a new cycle means that the head of a request is complete, so stop its timer and offer its body."""
        cycle = self.cycle
        super().handle_events()
        if self.cycle is not cycle:
            _cancel(self._waits_for_request)
            self.cycle.scope["extensions"] = {EXTENSION: {TAKE: partial(DirectBody, self, self.cycle)}}

    def on_response_complete(self) -> None:
        """Discard the unread remainder of the request and wait for the next one."""
        self._expect_request()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP. After a request abort instead, since that request has its own response."""
        if self.cycle:
            self.cycle.disconnected = True
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def pause_writing(self) -> None:
        """Start the timer of the reader."""
        super().pause_writing()
        self._waits_for_reader = self.loop.call_later(self.reading_limit_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the timer of the reader."""
        _cancel(self._waits_for_reader)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop both timers."""
        _cancel(self._waits_for_request)
        _cancel(self._waits_for_reader)
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        _cancel(self._waits_for_request)
        self._waits_for_request = self.loop.call_later(self.request_limit_s, self.transport.abort)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
