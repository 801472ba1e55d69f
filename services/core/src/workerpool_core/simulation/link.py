"""A worker's stream: ordered and delayed in both directions; messages in flight are lost when it closes."""

from collections.abc import Callable
from random import Random

from workerpool_core.simulation.clock import Clock


class Link:
    """The two directions of a stream."""

    def __init__(self, clock: Clock, random: Random, session: str) -> None:
        self._clock = clock
        self._random = random
        self._free_at = {"up": 0.0, "down": 0.0}
        self.session = session
        self.open = True

    def carry(self, direction: str, deliver: Callable[[], None]) -> None:
        """Deliver a message after all earlier messages of the same direction."""
        arrival = max(self._clock.now + self._random.expovariate(20.0), self._free_at[direction])
        self._free_at[direction] = arrival

        def arrive() -> None:
            if self.open:
                deliver()

        self._clock.later(arrival - self._clock.now, arrive)
