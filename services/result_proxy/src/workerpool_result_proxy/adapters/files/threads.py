"""A thread pool for blocking work on files."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from workerpool_result_proxy.app.completion import outlast

T = TypeVar("T")


class FileThreads:
    """A small thread pool. A cancelled caller waits for its thread, and can then safely remove the files."""

    def __init__(self, threads: int = 4) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="files")

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run `function(*arguments)` in a thread."""
        return await outlast(asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments))

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False)
