"""Streams that live long: a bounded queue between whoever has news and the one reader of a stream."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

from workerpool_kit.errors import Kind, WorkerpoolError

M = TypeVar("M")


class SlowReader(WorkerpoolError):
    """The reader of a stream does not keep up; its stream is ended, and it may connect again."""

    kind = Kind.EXHAUSTED
    reason = "SLOW_READER"


class BoundedOutbox(Generic[M]):
    """Messages waiting for one stream's reader, at most `limit` of them.

    gRPC itself never pushes back on a writer, so a reader that stalls would fill the server's memory. Past the bound
    the outbox closes itself, and iterating it raises `SlowReader`, which ends the call with RESOURCE_EXHAUSTED.
    Use it from one event loop: ``outbox.send(m)`` anywhere, ``async for m in outbox: yield m`` in the servicer.
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
        """True once nothing more can be sent."""
        return self._closed

    def send(self, message: M) -> bool:
        """Queue a message and return True; False when the stream is closed, or now closes for being too slow."""
        if self._closed:
            return False
        if len(self._waiting) >= self._limit:
            self._waiting.clear()
            self.close(SlowReader(f"more than {self._limit} messages wait for this stream; connect again"))
            return False
        self._waiting.append(message)
        self._wake.set()
        return True

    def close(self, error: Exception | None = None) -> None:
        """Let the reader take what waits, then end the stream (by raising `error` if given). The first close counts."""
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
