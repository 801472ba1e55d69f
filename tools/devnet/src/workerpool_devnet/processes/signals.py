"""Run a coroutine until a signal cancels it, so that it cleans up before the process ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def until_signalled(
    work: Coroutine[Any, Any, T], *, first: Callable[[], None] | None = None
) -> T | None:
    """Run until the work ends, or until SIGINT, SIGTERM or SIGHUP cancels it (returns None).

    The first signal calls `first` instead, if given, so that the work can end normally; the second cancels it.
    Further signals are ignored, so that they cannot interrupt the cleanup.
    """
    task = asyncio.create_task(work)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    warn = first

    def stop() -> None:
        nonlocal warn
        if warn is not None:
            warn()
            warn = None
        elif not stopping.is_set():
            stopping.set()
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
        return None
