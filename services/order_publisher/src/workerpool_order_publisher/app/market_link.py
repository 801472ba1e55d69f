"""The market with its outages: one sentence and a growing pause for each, and no call during the pause."""

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
    """Calls the market while it works. After an outage `is_known` is false until it was listed again."""

    def __init__(self, clock: Clock, reporter: Reporter, counted: Callable[[], None]) -> None:
        """Prepare. `counted` is called for each outage."""
        self._clock = clock
        self._reporter = reporter
        self._counted = counted
        self._pauses = _BACKOFF.steps()
        self.retry_at = 0.0
        """When the next call may be made (Unix seconds)."""
        self.problem = ""
        """The sentence of the present outage; empty without one."""
        self.is_known = False
        """Whether the listing is from a time after the last outage."""

    @property
    def is_open(self) -> bool:
        """Whether a call may be made now."""
        return self._clock.now() >= self.retry_at

    async def call(self, step: Callable[[], Awaitable[T]]) -> T:
        """Return the answer of the market. Raises MarketOutage after recording it, and what else `step` raises."""
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
