"""Time as a dependency: pass a `Clock`, so that tests decide what time it is."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Return seconds since the Unix epoch."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return time.time()


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        """Return the seconds the test has set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward (or back, with a negative number: clocks do that too)."""
        self._now += seconds
