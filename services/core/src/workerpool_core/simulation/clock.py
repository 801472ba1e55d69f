"""Simulated time: callbacks in order of their time, nothing else moves it."""

import heapq
from collections.abc import Callable


class Clock:
    """The event loop of the simulation."""

    def __init__(self, start: float) -> None:
        self.now = start
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Call something after a delay in seconds."""
        self.at(self.now + max(delay, 0.0), call)

    def at(self, time: float, call: Callable[[], None]) -> None:
        """Call something at a time, at once if it has passed."""
        self._count += 1
        heapq.heappush(self._heap, (max(time, self.now), self._count, call))

    def run(self, until: float) -> None:
        """Let time pass until a moment, or until nothing is left to happen."""
        while self._heap and self._heap[0][0] <= until:
            self.now, _, call = heapq.heappop(self._heap)
            call()
        self.now = until
