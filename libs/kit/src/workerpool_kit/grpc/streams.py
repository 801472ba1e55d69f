"""A bounded queue between the writers and the one reader of a stream."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

from workerpool_kit.errors import Kind, WorkerpoolError

M = TypeVar("M")


class SlowReader(WorkerpoolError):
    """The peer reads a stream too slowly; the stream ends, and the peer may connect again."""

    kind = Kind.EXHAUSTED
    reason = "SLOW_READER"


class BoundedOutbox(Generic[M]):
    """Messages that wait for the reader of one stream, at most `limit` of them.

    gRPC has no back-pressure for writers, so a stalled reader would fill the server's memory. At the limit the outbox
    closes, and iterating it raises `SlowReader`, which ends the call with RESOURCE_EXHAUSTED.
    Use it from one event loop: `outbox.send(m)` anywhere, `async for m in outbox: yield m` in the servicer.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[M] = deque()
        self._wake = asyncio.Event()
        self._closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def closed(self) -> bool:
        """True once no message can be sent."""
        return self._closed

    def send(self, message: M) -> bool:
        """Queue a message and return True; return False when the stream is closed, or closes now at the limit."""
        if self._closed:
            return False
        if len(self._waiting) >= self._limit:
            self._waiting.clear()
            self.close(
                SlowReader(
                    f"{self._limit} messages wait for this stream to be read; read faster, connect again"
                )
            )
            return False
        self._waiting.append(message)
        self._wake.set()
        return True

    def close(self, error: Exception | None = None) -> None:
        """End the stream after the queued messages, by raising `error` if given. Later calls have no effect."""
        if not self._closed:
            self._closed = True
            self._error = error
            self._wake.set()

    def __aiter__(self) -> "BoundedOutbox[M]":
        return self

    async def __anext__(self) -> M:
        while not self._waiting:
            if self._closed:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()
