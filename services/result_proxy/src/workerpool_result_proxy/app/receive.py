"""Reception of an upload's stream within time limits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from workerpool_result_proxy.app.completion import outlast
from workerpool_result_proxy.domain.results import Declaration
from workerpool_result_proxy.errors import HeaderExpected, UploadStalled

Messages = AsyncIterator[Declaration | bytes]
"""The messages of an upload: one declaration, then the bytes from its offset."""


@dataclass(frozen=True)
class StreamLimits:
    """Limits of one stream: `idle_s` seconds between two messages, `slowest` bytes/s after `grace_s` seconds."""

    idle_s: float = 30.0
    slowest: int = 32 * 1024
    grace_s: float = 60.0

    def total_s(self, size: int) -> float:
        """Return the time limit in seconds for receiving `size` bytes."""
        return self.grace_s + size / self.slowest


async def first_message(messages: Messages, limits: StreamLimits) -> Declaration:
    """Return the declaration that starts the stream. Raises `HeaderExpected` or `UploadStalled`."""
    header = await _next(messages, limits)
    if not isinstance(header, Declaration):
        raise HeaderExpected("the first message of an upload must be the header")
    return header


async def receive(
    messages: Messages,
    rest: int,
    take: Callable[[bytes], Awaitable[None]],
    limits: StreamLimits,
) -> None:
    """Pass the bytes of the stream to `take`; `rest` bytes are expected.

    One message is read while the previous one is taken, so that memory does not grow with the archive.
    """
    taking: asyncio.Future[None] | None = None
    try:
        async with asyncio.timeout(limits.total_s(rest)):
            while (chunk := await _next(messages, limits)) is not None:
                if isinstance(chunk, Declaration):
                    raise HeaderExpected("an upload has only one header")
                if taking is not None:
                    await outlast(taking)
                taking = asyncio.ensure_future(take(chunk))
            if taking is not None:
                await outlast(taking)
    except TimeoutError:
        raise UploadStalled("the upload took too long; continue it over a faster connection") from None
    finally:
        if taking is not None:
            # Finish the pending write, so that the upload can be continued.
            await asyncio.wait([taking])
            if not taking.cancelled():
                taking.exception()  # mark it as retrieved, because the error of the stream takes precedence


async def _next(messages: Messages, limits: StreamLimits) -> Declaration | bytes | None:
    try:
        async with asyncio.timeout(limits.idle_s):
            return await anext(messages, None)
    except TimeoutError:
        raise UploadStalled(
            f"no message arrived for {limits.idle_s:g} seconds; request the offset and continue"
        ) from None
