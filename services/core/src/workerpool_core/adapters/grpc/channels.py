"""Channels to services whose addresses are only learnt at work: kept open, and closed together."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import grpc
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.targets import grpc_target_of

_MOST = 64
_LAST_CALLS_S = 30.0
"""How long calls may go on over a channel that gave way to another."""


class Channels:
    """One channel for each address.

    Others choose these addresses (a requester his result proxy), so at most `most` stay open. The one that was not
    used for longest gives way: a stranger who names many takes the place of nobody that is in use.
    """

    def __init__(self, most: int = _MOST, *, idempotent: Sequence[str] = ()) -> None:
        self._most = most
        self._idempotent = idempotent
        self._open: OrderedDict[str, grpc.aio.Channel] = OrderedDict()
        self._closing: dict[asyncio.Task[None], grpc.aio.Channel] = {}

    def __len__(self) -> int:
        return len(self._open)

    def to(self, url: str) -> grpc.aio.Channel:
        """Return the channel to the gRPC side of a service, by its documented HTTP URL.

        Raises ValueError when that is no address.
        """
        if url not in self._open:
            self._open[url] = open_channel(grpc_target_of(url), idempotent=self._idempotent)
            if len(self._open) > self._most:
                _, unused = self._open.popitem(last=False)
                task = asyncio.create_task(unused.close(_LAST_CALLS_S), name="close a channel")
                self._closing[task] = unused
                task.add_done_callback(lambda done: self._closing.pop(done, None))
        self._open.move_to_end(url)
        return self._open[url]

    async def close(self) -> None:
        """Close all of them."""
        closing = dict(self._closing)
        for task in closing:
            task.cancel()
        for channel in (*self._open.values(), *closing.values()):
            await channel.close(None)
