"""Time limits of deals, all relative to the quiet times of the same run."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from hostile.catalogue.entry import Entry
from hostile.catalogue.honest import PLAIN, WORK_SECONDS

HONEST_FACTOR = 2.0
"""An honest deal takes at most twice its quiet time."""
_HOSTILE_FACTOR = 6.0
"""Quiet times that a hostile deal may take besides its own: two attempts, each beside others."""


@dataclass
class QuietTimes:
    """Seconds of honest deals on the pool before anything hostile happens."""

    start_limit_s: float
    """Seconds that a worker has for the start of an assignment."""
    measured: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Name of an entry → seconds of its quiet deals."""

    def add(self, entry: Entry, seconds: float) -> None:
        """Add one quiet deal."""
        self.measured[entry.name].append(seconds)

    def median(self, entry: Entry) -> float:
        """Return the quiet seconds of an honest entry."""
        return statistics.median(self.measured[entry.name])

    @property
    def overhead_s(self) -> float:
        """Quiet seconds of the simplest task without its computation."""
        return max(self.median(PLAIN) - WORK_SECONDS, 1.0)

    def limit(self, entry: Entry) -> float:
        """Return the seconds that a deal may take without faults and bad workers."""
        if entry.honest:
            return HONEST_FACTOR * self.median(entry)
        return 2 * entry.right.seconds + _HOSTILE_FACTOR * max(self.overhead_s, WORK_SECONDS)

    def allowance(self, bad_workers: int, fault_seconds: float, faults: int) -> float:
        """Return the seconds to add: one start limit per bad worker, the faults, and one retry after each fault."""
        return bad_workers * self.start_limit_s + fault_seconds + faults * self.median(PLAIN)

    def lines(self, entries: Iterable[Entry]) -> list[str]:
        """Return a line for each measured entry."""
        return [
            f"  {entry.name:<18} {self.median(entry):5.1f} s quiet, limit {self.limit(entry):5.1f} s"
            for entry in entries
            if self.measured[entry.name]
        ]
