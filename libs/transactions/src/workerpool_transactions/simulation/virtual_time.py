"""An event loop whose time jumps to the next timer: minutes of waiting pass in milliseconds."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from workerpool_transactions.simulation.checks.violation import Violation

T = TypeVar("T")
START = 1_700_000_000.0
"""Unix time at which a seed starts."""


class _JumpingSelector(selectors.SelectSelector):
    """Passes time instead of waiting for files: no simulated process has any."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Violation("every task waits, and no timer is set")
        self.now += max(timeout, 0.0)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated time. Files and threads do not work in it."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the simulated seconds since the start."""
        return self._jumping.now


class LoopClock:
    """Unix time that follows the running loop. Implements `Clock`."""

    def now(self) -> float:
        """Return simulated Unix seconds."""
        return START + asyncio.get_running_loop().time()


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in simulated time, and return its result."""
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(main())
    finally:
        _cancel_all(loop)
        loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
