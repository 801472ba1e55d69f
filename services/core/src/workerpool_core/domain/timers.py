"""Deadlines by key: a heap whose outdated entries are skipped when they surface."""

import heapq
from collections.abc import Iterator
from enum import Enum


class Alarm(Enum):
    """What a timer is about; the rest of its key says of whom."""

    LIVENESS = "LIVENESS"
    PAUSE_ENDS = "PAUSE_ENDS"
    ASSIGNMENT = "ASSIGNMENT"
    PENDING_STALE = "PENDING_STALE"
    RETRY = "RETRY"
    READ = "READ"
    PROOF = "PROOF"
    UPLOAD = "UPLOAD"
    CONTRIBUTION_DEADLINE = "CONTRIBUTION_DEADLINE"
    REVEAL_DEADLINE = "REVEAL_DEADLINE"
    FINAL_DEADLINE = "FINAL_DEADLINE"
    FORGET = "FORGET"


Key = tuple[Alarm, str, str]
"""What, the task or worker concerned, and for replicates the wallet."""


class Timers:
    """One time for each key; setting a key again replaces its time."""

    def __init__(self) -> None:
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._count = 0

    def set(self, alarm: Alarm, subject: str, at: float, wallet: str = "") -> None:
        """Let an alarm ring at a time (Unix seconds), instead of any earlier choice."""
        key = (alarm, subject, wallet)
        self._due[key] = at
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, key))

    def is_set(self, alarm: Alarm, subject: str, wallet: str = "") -> bool:
        """Tell whether an alarm is still to ring."""
        return (alarm, subject, wallet) in self._due

    def cancel(self, alarm: Alarm, subject: str, wallet: str = "") -> None:
        """Let an alarm not ring."""
        self._due.pop((alarm, subject, wallet), None)

    def next(self) -> float | None:
        """Return when the next alarm rings."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: float) -> Iterator[Key]:
        """Take every alarm that is due; one that is set while iterating rings now if it is due too."""
        while (at := self.next()) is not None and at <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._due[key]
            yield key
