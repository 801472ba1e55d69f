"""The newest supply from core, and the time without a stream."""

import asyncio

from workerpool_kit.clock import Clock

from workerpool_order_publisher.domain.supply import Supply


class CoreFeed:
    """Passes the supply from core's stream, which writes it, to the publisher, which reads it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost_at: float | None = clock.now()
        self.supply: Supply | None = None
        """The newest supply; it stays, outdated, after the stream is lost."""
        self.changed = asyncio.Event()
        """Set after each change."""

    def received(self, supply: Supply) -> None:
        """Record a supply from core."""
        self.supply, self._lost_at = supply, None
        self.changed.set()

    def outdated(self) -> None:
        """Drop the supply after another one was requested; nothing is published until it arrives."""
        self.supply = None
        self.changed.set()

    def lost(self) -> None:
        """Record that the stream ended."""
        if self._lost_at is None:
            self._lost_at = self._clock.now()
            self.changed.set()

    @property
    def silent_s(self) -> float:
        """Seconds without a stream; 0 while one is open."""
        return 0.0 if self._lost_at is None else max(self._clock.now() - self._lost_at, 0.0)
