"""The calls of one process to its node: their rate, the pauses that the node requests, and their observer.

Providers bill calls and refuse those above a plan's rate (HTTP 429). A process that keeps calling is refused
again, so calls wait instead.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

LONGEST_PAUSE_S = 30.0
"""Upper bound in seconds. A node may request more with Retry-After, but a process that waits longer seems dead."""
_BURST_S = 1.0
"""Burst: the calls of this many seconds may be made at the same time."""
_LONGEST_OWN_PAUSE_S = 8.0
_SLOWED = 0.7
"""Share of the recent rate that is left after a refusal."""
_RECOVERY_PER_S = 1.1
"""Growth of a lowered rate: it doubles in 7 s without a refusal."""
_MIN_RATE = 5.0
"""The rate of the smallest plans; refusals below it have another cause."""


class CallObserver(Protocol):
    """Counts the calls of a process."""

    def called(self, method: str) -> None:
        """Count one call, also one in a batch; a repeated call counts again."""

    def throttled(self) -> None:
        """Count one refusal because of too many calls."""


class Traffic:
    """Admits calls at a limited rate. The clients of one node in one process share it.

    When the node limits the rate of calls, all calls pause as long as it requests, at most 30 s.
    Without such a request they pause for a growing time, and the rate falls and recovers slowly.
    """

    def __init__(
        self,
        *,
        calls_per_s: float = math.inf,
        observer: CallObserver | None = None,
        pause_s: float = 0.25,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Create the limit of the traffic.

        Args:
            calls_per_s: the highest rate.
            observer: counts calls and refusals.
            pause_s: first pause after a refusal without Retry-After, in seconds; doubled for each further one.
            monotonic: the clock, in seconds.
            sleep: waits for some seconds.
        """
        self._highest = calls_per_s
        self._observer = observer
        self._first_pause = pause_s
        self._monotonic = monotonic
        self._sleep = sleep
        now = monotonic()
        self._lowered: float | None = None
        self._lowered_at = now
        self._due = now
        """When a call at the current rate would be due; calls up to `_BURST_S` early are admitted."""
        self._paused_until = now
        self._paused_at = -math.inf
        self._refusals = 0
        self._second, self._calls, self._calls_before = math.floor(now), 0, 0

    @property
    def calls_per_s(self) -> float:
        """The current rate."""
        if self._lowered is None:
            return self._highest
        rate = self._lowered * math.pow(_RECOVERY_PER_S, min(self._monotonic() - self._lowered_at, 1_000.0))
        if rate >= self._highest or rate > 1e6:
            self._lowered = None
            return self._highest
        return rate

    @property
    def largest_batch(self) -> float:
        """Calls that one body may hold: those of a second."""
        return max(1.0, self.calls_per_s)

    async def admit(self, methods: Sequence[str]) -> float:
        """Wait until the calls of one body may be sent, and count them; return the time, for `refused`."""
        now, rate = self._monotonic(), self.calls_per_s
        self._due = max(self._due, now)
        wait = self._due - _BURST_S - now
        self._due += len(methods) / rate
        if wait > 0:
            await self._sleep(wait)
        while (wait := self._paused_until - self._monotonic()) > 0:
            # Spread, so that the calls that waited are not refused together.
            await self._sleep(wait + self._first_pause * random.random())
        for method in methods:
            self.count(method)
        return self._monotonic()

    def count(self, method: str) -> None:
        """Count a call that needs no admission, such as one over a WebSocket."""
        second = math.floor(self._monotonic())
        if second != self._second:
            self._calls_before = self._calls if second == self._second + 1 else 0
            self._second, self._calls = second, 0
        self._calls += 1
        if self._observer is not None:
            self._observer.called(method)

    def answered(self, admitted_at: float) -> None:
        """Record an answer to a body admitted at this time; the next pause is the shortest again."""
        if admitted_at > self._paused_at:
            self._refusals = 0

    def refused(self, admitted_at: float, retry_after_s: float | None) -> None:
        """Record that the node refused a body because of its rate limit, and pause every call.

        Refusals of bodies that were admitted before the pause began belong to the same refusal.
        """
        if self._observer is not None:
            self._observer.throttled()
        now = self._monotonic()
        if admitted_at > self._paused_at:
            self._refusals += 1
            self._paused_at = now
            if retry_after_s is None:
                self._lower(now)
        own = min(self._first_pause * 2.0 ** min(self._refusals - 1, 16), _LONGEST_OWN_PAUSE_S)
        pause = own if retry_after_s is None else min(max(retry_after_s, 0.0), LONGEST_PAUSE_S)
        self._paused_until = max(self._paused_until, now + pause)

    def _lower(self, now: float) -> None:
        recent = min(max(self._calls, self._calls_before), self.calls_per_s)
        self._lowered, self._lowered_at = min(max(recent * _SLOWED, _MIN_RATE), self._highest), now

    def pause(self, retry_after_s: float) -> None:
        """Pause every call as the node requests because it is overloaded or restarts."""
        pause = min(max(retry_after_s, 0.0), LONGEST_PAUSE_S)
        self._paused_until = max(self._paused_until, self._monotonic() + pause)
