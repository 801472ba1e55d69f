"""The time of the chain, which decides the protocol's deadlines."""

import time
from collections.abc import Callable
from typing import Protocol


class Head(Protocol):
    """A block, as far as a clock needs it."""

    @property
    def timestamp(self) -> int:
        """Unix seconds."""


class Heads(Protocol):
    """A source of the latest block."""

    @property
    def latest(self) -> Head | None:
        """The latest block; None before the first."""


class ChainClock:
    """The timestamp of the latest block, advanced by a monotonic clock. Implements `Clock`.

    The hub compares deadlines with block timestamps, and the host's own clock may be wrong. The result is never later
    than the chain's time: the worker tries what may still be possible, and the hub refuses what is late. Before the
    first block it is the host's clock.
    """

    def __init__(
        self,
        heads: Heads,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        system: Callable[[], float] = time.time,
    ) -> None:
        """Create it on a source of blocks."""
        self._heads = heads
        self._monotonic = monotonic
        self._system = system
        self._seen: Head | None = None
        self._seen_at = 0.0

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        head = self._heads.latest
        if head is None:
            return self._system()
        if head != self._seen:
            self._seen, self._seen_at = head, self._monotonic()
        return head.timestamp + self._monotonic() - self._seen_at
