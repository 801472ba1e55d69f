"""Blocking work on files, in few threads of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class FileThreads:
    """A small thread pool. A cancelled caller waits for its thread, so that it may then safely remove the files."""

    def __init__(self, threads: int = 4) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="files")

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run ``function(*arguments)`` in a thread."""
        return await _outlast(asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments))

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` even if the caller is cancelled meanwhile; the cancellation takes effect afterwards."""
    return await _outlast(asyncio.ensure_future(work))


async def _outlast(future: "asyncio.Future[T]") -> T:
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if not future.cancelled():
            await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # read it, or asyncio complains that nobody did
        raise
