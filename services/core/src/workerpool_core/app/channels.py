"""Channels to services whose addresses are only learnt at work: kept open, and closed together."""

import grpc
from workerpool_kit.grpc_client import grpc_target_of, open_channel

_MOST = 64
"""Others choose these addresses (a requester his result proxy), so their number is bounded."""


class Channels:
    """One channel for each address."""

    def __init__(self) -> None:
        self._open: dict[str, grpc.aio.Channel] = {}

    def to(self, url: str) -> grpc.aio.Channel:
        """Return the channel to the gRPC side of a service, by its documented HTTP URL.

        Raises ValueError when that is no address, or one too many.
        """
        if url not in self._open:
            if len(self._open) >= _MOST:
                raise ValueError(f"more than {_MOST} services were named; {url} is not asked")
            self._open[url] = open_channel(grpc_target_of(url))
        return self._open[url]

    async def close(self) -> None:
        """Close all of them."""
        for channel in self._open.values():
            await channel.close(None)
