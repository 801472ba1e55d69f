"""Thread pools for blocking work on files."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from workerpool_result_proxy.app.completion import outlast

T = TypeVar("T")


class FileThreads:
    """Small thread pools; a cancelled caller waits for its thread, and can then safely remove the files.

    Reading a whole archive may take a minute, so it has separate threads and never delays the writes of uploads.
    """

    def __init__(self, threads: int = 4, *, long: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="files")
        self._long = ThreadPoolExecutor(long, thread_name_prefix="archives")

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run `function(*arguments)` in a thread."""
        return await outlast(asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments))

    async def run_long(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run `function(*arguments)`, which may take a minute, in a thread."""
        return await outlast(asyncio.get_running_loop().run_in_executor(self._long, function, *arguments))

    def start(self, function: Callable[[], None]) -> None:
        """Run `function()` in a thread, without waiting for its end."""
        self._pool.submit(function)

    def close(self) -> None:
        """Stop the threads without waiting."""
        self._pool.shutdown(wait=False)
        self._long.shutdown(wait=False)
