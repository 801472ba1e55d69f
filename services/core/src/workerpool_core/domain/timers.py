"""Timers by key: a heap that corrects outdated entries when they reach the top.

A postponed timer keeps its entry, so postponing is cheap.
"""

import heapq
from collections.abc import Iterator
from enum import StrEnum


class Timeout(StrEnum):
    """The kind of a timer; a string, because keys are hashed often and strings cache their hash."""

    LIVENESS = "LIVENESS"
    PAUSE = "PAUSE"
    ASSIGNMENT = "ASSIGNMENT"
    CONTRIBUTION = "CONTRIBUTION"
    EXECUTION = "EXECUTION"
    ERROR_RESULT = "ERROR_RESULT"
    FAILURE_PAUSE = "FAILURE_PAUSE"
    RETRY = "RETRY"
    READ = "READ"
    PROOF = "PROOF"
    UPLOAD = "UPLOAD"
    CONTRIBUTION_DEADLINE = "CONTRIBUTION_DEADLINE"
    REVEAL_DEADLINE = "REVEAL_DEADLINE"
    FINAL_DEADLINE = "FINAL_DEADLINE"
    EVICTION = "EVICTION"
    REFILL = "REFILL"
    DEAL = "DEAL"
    WORKERS_CHANGED = "WORKERS_CHANGED"


Key = tuple[Timeout, str, str]
"""The kind, the task id or wallet concerned, and the wallet for a timer of a replicate."""


class Timers:
    """One time for each key; setting a key again replaces its time."""

    def __init__(self) -> None:
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._count = 0

    def set(self, timeout: Timeout, subject: str, at: float, wallet: str = "") -> None:
        """Set a timer to `at` (Unix seconds), replacing the one with the same key."""
        key = (timeout, subject, wallet)
        known = self._due.get(key)
        self._due[key] = at
        if known is None or at < known:
            self._count += 1
            heapq.heappush(self._heap, (at, self._count, key))

    def is_set(self, timeout: Timeout, subject: str, wallet: str = "") -> bool:
        """Return whether a timer is set."""
        return (timeout, subject, wallet) in self._due

    def cancel(self, timeout: Timeout, subject: str, wallet: str = "") -> None:
        """Cancel a timer, if it is set."""
        self._due.pop((timeout, subject, wallet), None)

    def next(self) -> float | None:
        """Return when the next timer fires (Unix seconds), or None."""
        while self._heap:
            at, _, key = self._heap[0]
            due = self._due.get(key)
            if due == at:
                return at
            if due is None or due < at:
                heapq.heappop(self._heap)
            else:
                self._count += 1
                heapq.heapreplace(self._heap, (due, self._count, key))
        return None

    def take_due(self, now: float) -> Iterator[Key]:
        """Yield and remove every due timer, including those that are set during the iteration."""
        while (at := self.next()) is not None and at <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._due[key]
            yield key
