"""Connections to the HTTP side, bounded in number and in time: anybody may open them, and each holds a descriptor."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class BoundedConnection(H11Protocol):
    """uvicorn's connection, which by itself would wait for ever for a request, and for the reader of an answer.

    The limits are attributes of the class, in seconds and in connections of the whole server.
    """

    request_limit_s = 10.0
    """Within this time of connecting, or of the last answer, the head of a request is there as a whole."""
    reading_limit_s = 60.0
    """Within this time a client takes what fills the buffers between us."""
    most = 2_000

    _waits_for_request: asyncio.TimerHandle | None = None
    _waits_for_reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; turn away a connection too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
        else:
            self._expect_request()

    def handle_events(self) -> None:
        """Read on; a new cycle means that the head of a request is there."""
        cycle = self.cycle
        super().handle_events()
        if self.cycle is not cycle:
            _stop(self._waits_for_request)

    def on_response_complete(self) -> None:
        """Wait for the next request; what the client has not sent of the last one nobody wants any more."""
        self._expect_request()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP. Behind a request it ends the connection: that one has an answer of its own."""
        if self.cycle:
            self.cycle.disconnected = True
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def pause_writing(self) -> None:
        """Begin to wait for the reader."""
        super().pause_writing()
        self._waits_for_reader = self.loop.call_later(self.reading_limit_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        _stop(self._waits_for_reader)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        _stop(self._waits_for_request)
        _stop(self._waits_for_reader)
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        _stop(self._waits_for_request)
        self._waits_for_request = self.loop.call_later(self.request_limit_s, self.transport.abort)


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
