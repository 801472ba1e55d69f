"""The seeded generator of deals."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from hostile.buyers import HONEST_REQUESTERS, HOSTILE_REQUESTERS
from hostile.catalogue.all import HONEST, HOSTILE
from hostile.catalogue.demands import DRY_BAG
from hostile.catalogue.entry import Entry

_HEAVY_PERIOD_S = 30.0
_HEAVY = frozenset(
    {
        "app-fills-disk",
        "app-fills-disk-output",
        "app-fills-disk-small-files",
        "app-fork-bomb",
        "app-output-flood",
        "app-output-without-end",
        "app-memory",
        "app-memory-shm",
        "archive-many-files",
        "deal-bag-20",
    }
)
"""Entries that load the whole machine: at most one in `_HEAVY_PERIOD_S` seconds."""


class Generator:
    """Draws deals. Every hostile entry comes once before any comes twice, in an order that follows from the seed."""

    def __init__(self, seed: int, only: Sequence[str] = (), *, heavy: bool = True) -> None:
        self._honest = random.Random(f"{seed} honest")
        self._hostile = random.Random(f"{seed} hostile")
        everything = [
            entry for kind in HOSTILE.values() for entry in kind if heavy or entry.name not in _HEAVY
        ]
        chosen = [entry for entry in everything if entry.name.startswith(tuple(only))] if only else everything
        self._entries = chosen if only else [*chosen, DRY_BAG]
        self._queue: list[Entry] = []
        self._rounds = 0
        self._heavy_at = -_HEAVY_PERIOD_S

    def honest(self) -> tuple[Entry, str]:
        """Draw an honest deal: the entry and its requester."""
        (entry,) = self._honest.choices(HONEST, [entry.weight for entry in HONEST])
        return entry, self._honest.choice(HONEST_REQUESTERS)

    def hostile(self) -> tuple[Entry, str]:
        """Draw a hostile deal: the entry and its requester."""
        if not self._queue:
            self._refill()
        rested = time.monotonic() - self._heavy_at >= _HEAVY_PERIOD_S
        place = next((n for n, entry in enumerate(self._queue) if rested or entry.name not in _HEAVY), 0)
        entry = self._queue.pop(place)
        if entry.name in _HEAVY:
            self._heavy_at = time.monotonic()
        return entry, self._hostile.choice(HOSTILE_REQUESTERS)

    def _refill(self) -> None:
        """Queue every entry; in each second round only those that are drawn more often."""
        likely = [entry for entry in self._entries if entry.weight > 1]
        self._queue = list(likely if self._rounds % 2 and likely else self._entries)
        self._rounds += 1
        self._hostile.shuffle(self._queue)
