"""Time as a dependency: components take a `Clock`, and tests pass a fake one."""

import time
from typing import Protocol


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> float:
        """Return seconds since the Unix epoch."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return time.time()


class FakeClock:
    """A clock that only a test moves."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        """Return the seconds since the Unix epoch that the test has set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward, or back with a negative number, as clocks of machines sometimes do."""
        self._now += seconds
