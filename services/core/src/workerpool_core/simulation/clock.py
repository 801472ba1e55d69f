"""Simulated time: callbacks run in the order of their times, and only they advance the clock."""

import heapq
from collections.abc import Callable


class Clock:
    """The event loop of the simulation. Times are Unix seconds."""

    def __init__(self, start: float) -> None:
        self.now = start
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Schedule a callback after a delay in seconds."""
        self.at(self.now + max(delay, 0.0), call)

    def at(self, time: float, call: Callable[[], None]) -> None:
        """Schedule a callback at a time, or now if the time has passed."""
        self._count += 1
        heapq.heappush(self._heap, (max(time, self.now), self._count, call))

    def run(self, until: float) -> None:
        """Advance the clock to a time and run every callback that is due."""
        while self._heap and self._heap[0][0] <= until:
            self.now, _, call = heapq.heappop(self._heap)
            call()
        self.now = until
