"""gRPC channels to services whose addresses become known at run time."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import grpc
from workerpool_kit.grpc.client import open_service
from workerpool_kit.runtime.tasks import start_task

_MAX_CHANNELS = 64
_CLOSE_GRACE_S = 30.0
"""Seconds that calls on an evicted channel may continue."""


class ChannelPool:
    """One open channel per address, at most `max_channels`.

    Requesters choose some of these addresses (their result proxy). A full pool evicts the least recently used channel,
    so a requester that names many addresses cannot evict a channel in use.
    """

    def __init__(self, max_channels: int = _MAX_CHANNELS, *, idempotent: Sequence[str] = ()) -> None:
        """Create an empty pool; `idempotent` names the gRPC services whose calls may be retried."""
        self._max_channels = max_channels
        self._idempotent = idempotent
        self._open: OrderedDict[str, grpc.aio.Channel] = OrderedDict()
        self._closing: dict[asyncio.Task[None], grpc.aio.Channel] = {}

    def __len__(self) -> int:
        return len(self._open)

    def to(self, url: str) -> grpc.aio.Channel:
        """Return the channel to the gRPC side of a service, given its documented HTTP URL.

        Raises ValueError when the URL is malformed.
        """
        if url not in self._open:
            self._open[url] = open_service(url, idempotent=self._idempotent)
            if len(self._open) > self._max_channels:
                _, evicted = self._open.popitem(last=False)
                task = start_task(evicted.close(_CLOSE_GRACE_S), name="close evicted channel")
                self._closing[task] = evicted
                task.add_done_callback(lambda done: self._closing.pop(done, None))
        self._open.move_to_end(url)
        return self._open[url]

    async def close(self) -> None:
        """Close every channel at once, evicted ones included."""
        closing = dict(self._closing)
        for task in closing:
            task.cancel()
        for channel in (*self._open.values(), *closing.values()):
            await channel.close(None)
