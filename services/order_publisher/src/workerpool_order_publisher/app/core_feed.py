"""The newest supply that core streamed, and for how long core has been silent."""

import asyncio

from workerpool_kit.clock import Clock

from workerpool_order_publisher.domain.supply import Supply


class CoreFeed:
    """Holds the supply between the stream of core, which writes it, and the publisher, which reads it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost_at: float | None = clock.now()
        self.supply: Supply | None = None
        """The newest supply; it stays after the stream was lost, and is outdated then."""
        self.changed = asyncio.Event()
        """Set after each change."""

    def received(self, supply: Supply) -> None:
        """Record what core sent."""
        self.supply, self._lost_at = supply, None
        self.changed.set()

    def outdated(self) -> None:
        """Drop the supply, because core was asked for another one; nothing is published until it comes."""
        self.supply = None
        self.changed.set()

    def lost(self) -> None:
        """Record that the stream ended."""
        if self._lost_at is None:
            self._lost_at = self._clock.now()
            self.changed.set()

    @property
    def silent_s(self) -> float:
        """Seconds without a stream; 0 while there is one."""
        return 0.0 if self._lost_at is None else max(self._clock.now() - self._lost_at, 0.0)
