"""Blocking calls in daemon threads, so that a call that never returns cannot delay the end of the process.

The event loop's own executor is joined when the loop ends: one hung disk or socket would keep the process alive.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

from workerpool_kit.logs import get_logger

T = TypeVar("T")
log = get_logger()

_IDLE_S = 5.0
"""A thread without work waits so long for the next call: a start costs more than a short call."""
_IDLE_NAME = "idle-daemon"


async def in_daemon_thread(work: Callable[[], T], *, name: str = "blocking-call") -> T:
    """Run a blocking function in a daemon thread that does nothing else meanwhile, and return its result.

    After a cancellation the function ends by itself and its result is dropped.
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

    _threads.run(run, name)
    return await future


class _Thread:
    """A daemon thread that takes one function after the other."""

    def __init__(self, threads: "_Threads") -> None:
        self._threads = threads
        self._work: SimpleQueue[tuple[Callable[[], None], str]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=_IDLE_NAME, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def give(self, work: Callable[[], None], name: str) -> None:
        self._work.put((work, name))

    def _run(self) -> None:
        while True:
            try:
                work, self._thread.name = self._work.get(timeout=_IDLE_S)
            except Empty:
                if self._threads.leave(self):
                    return
                continue  # It was given work at this moment.
            work()
            # What a caller gave is not kept while the thread is idle.
            del work
            self._thread.name = _IDLE_NAME
            self._threads.is_idle(self)


class _Threads:
    """As many threads as functions run at a time. The one that ran last runs next, so that the others end."""

    def __init__(self) -> None:
        self._idle: list[_Thread] = []
        self._changing = threading.Lock()

    def run(self, work: Callable[[], None], name: str) -> None:
        with self._changing:
            thread = self._idle.pop() if self._idle else None
        if thread is None:
            thread = _Thread(self)
            thread.give(work, name)
            thread.start()
        else:
            thread.give(work, name)

    def is_idle(self, thread: _Thread) -> None:
        with self._changing:
            self._idle.append(thread)

    def leave(self, thread: _Thread) -> bool:
        """Remove an idle thread. Return False if it was given work."""
        with self._changing:
            if thread not in self._idle:
                return False
            self._idle.remove(thread)
            return True


_threads = _Threads()
