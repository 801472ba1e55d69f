"""An event loop whose time jumps to the next timer: hours of waiting pass in milliseconds."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Instead of waiting for a timer, moves its own time forward."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        real_select = self._selector.select  # type: ignore[attr-defined]

        def select(timeout: float | None) -> Any:
            ready = real_select(0)
            if not ready and timeout is None:
                raise RuntimeError("deadlock: every task waits, and no timer is set")
            if not ready and timeout:
                self.now += timeout
            return ready

        self._selector.select = select  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now


class LoopClock:
    """Unix time that follows the running loop. Implements `Clock`."""

    def now(self) -> float:
        return 1_700_000_000.0 + asyncio.get_running_loop().time()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)
