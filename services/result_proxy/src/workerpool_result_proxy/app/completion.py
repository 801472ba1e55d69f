"""Work that a cancelled caller must not interrupt."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def run_to_completion(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end even if the caller is cancelled; the cancellation takes effect afterwards."""
    return await outlast(asyncio.ensure_future(work))


async def outlast(future: "asyncio.Future[T]") -> T:
    """Await a future to its end even if the caller is cancelled; the cancellation takes effect afterwards."""
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if not future.cancelled():
            await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # marks the exception as retrieved, which asyncio otherwise logs
        raise
