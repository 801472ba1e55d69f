"""Receives the stream of an upload, within limits of time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from workerpool_result_proxy.app.ports import IncomingArchive
from workerpool_result_proxy.domain.results import Declaration
from workerpool_result_proxy.errors import HeaderExpected, UploadStalled

Messages = AsyncIterator[Declaration | bytes]
"""An upload as it arrives: one declaration, then the bytes."""


@dataclass(frozen=True)
class StreamLimits:
    """Limits of one stream: `idle_s` seconds between two messages, `slowest` bytes/s after `grace_s` seconds."""

    idle_s: float = 30.0
    slowest: int = 32 * 1024
    grace_s: float = 60.0

    def total_s(self, size: int) -> float:
        """Return the seconds that receiving `size` bytes may take."""
        return self.grace_s + size / self.slowest


async def first_message(messages: Messages, limits: StreamLimits) -> Declaration:
    """Return the declaration that starts the stream. Raises `HeaderExpected` or `UploadStalled`."""
    header = await _next(messages, limits)
    if not isinstance(header, Declaration):
        raise HeaderExpected("the first message of an upload must be the header")
    return header


async def receive(
    messages: Messages, declared: Declaration, into: IncomingArchive, limits: StreamLimits
) -> None:
    """Write the bytes of the stream; return when all arrived and match the declaration.

    The next message is read when the last one is on disk, so that memory does not grow with the archive.
    """
    try:
        async with asyncio.timeout(limits.total_s(declared.size)):
            while (chunk := await _next(messages, limits)) is not None:
                if isinstance(chunk, Declaration):
                    raise HeaderExpected("an upload has only one header")
                await into.append(chunk)
    except TimeoutError:
        raise UploadStalled("the upload took too long; send it again over a faster connection") from None
    await into.finish()


async def _next(messages: Messages, limits: StreamLimits) -> Declaration | bytes | None:
    try:
        async with asyncio.timeout(limits.idle_s):
            return await anext(messages, None)
    except TimeoutError:
        raise UploadStalled(
            f"no message arrived for {limits.idle_s:g} seconds; send the archive again"
        ) from None
