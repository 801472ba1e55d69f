"""Calls to the market with backoff: each outage is logged once, and no call is made during the pause."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff

from workerpool_order_publisher.app.ports import MarketOutage, Reporter

T = TypeVar("T")
log = get_logger()

_BACKOFF = Backoff(first_s=1.0, longest_s=60.0)
_LONGEST_RETRY_AFTER_S = 600.0


class MarketLink:
    """Calls the market. After an outage `is_known` is false until the market has been listed again."""

    def __init__(self, clock: Clock, reporter: Reporter, counted: Callable[[], None]) -> None:
        """Create the link; `counted` is called for each outage."""
        self._clock = clock
        self._reporter = reporter
        self._counted = counted
        self._pauses = _BACKOFF.steps()
        self.retry_at = 0.0
        """When the next call may be made, in Unix seconds."""
        self.problem = ""
        """The problem of the current outage, in one sentence; empty without one."""
        self.is_known = False
        """Whether the market has been listed since the last outage."""

    @property
    def is_open(self) -> bool:
        """Whether a call may be made now."""
        return self._clock.now() >= self.retry_at

    async def call(self, step: Callable[[], Awaitable[T]]) -> T:
        """Return the market's answer. Raises MarketOutage after recording it, and any other error of `step`."""
        try:
            answer = await step()
        except MarketOutage as outage:
            self._lost(outage)
            raise
        if self.problem:
            log.info("market.recovered")
        self._pauses.reset()
        self.problem = ""
        self._reporter.works()
        return answer

    def _lost(self, outage: MarketOutage) -> None:
        pause = self._pauses.next_s()
        if outage.retry_after_s is not None:
            pause = max(pause, min(outage.retry_after_s, _LONGEST_RETRY_AFTER_S))
        self.retry_at = self._clock.now() + pause
        self.is_known = False
        self._counted()
        if not self.problem:
            log.warning("market.lost", problem=str(outage), retry_in_s=round(pause, 1))
        self.problem = str(outage)
        self._reporter.fails(self.problem)
