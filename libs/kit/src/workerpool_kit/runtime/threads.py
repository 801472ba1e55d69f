"""Blocking calls in daemon threads, so that a call that never returns cannot delay the end of the process.

The event loop's own executor is joined when the loop ends: one hung disk or socket would keep the process alive.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from workerpool_kit.logs import get_logger

T = TypeVar("T")
log = get_logger()


async def in_daemon_thread(work: Callable[[], T], *, name: str = "blocking-call") -> T:
    """Run a blocking function in a daemon thread of its own and return its result.

    After a cancellation the thread ends by itself and its result is dropped.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def resolve(value: T | None, problem: BaseException | None) -> None:
        if future.done():
            return
        if problem is not None:
            future.set_exception(problem)
        else:
            future.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, problem = None, None
        try:
            value = work()
        except (
            BaseException
        ) as raised:  # A thread has no caller to raise to: the awaiting one gets every error.
            problem = raised
        try:
            loop.call_soon_threadsafe(resolve, value, problem)
        except RuntimeError:
            log.debug("thread.result_dropped", thread=name)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future
