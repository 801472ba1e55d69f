"""The journal of a seed: it survives every life, and checks what is written."""

import asyncio
from collections.abc import Sequence

from workerpool_transactions.adapters.memory_journal import MemoryJournal
from workerpool_transactions.domain.entry import Entry
from workerpool_transactions.simulation.checks.invariants import Checks
from workerpool_transactions.simulation.environment import Environment


class SimulatedJournal(MemoryJournal):
    """A journal whose writes may wait for the end of an outage."""

    def __init__(self, environment: Environment, checks: Checks) -> None:
        super().__init__()
        self._environment = environment
        self._checks = checks

    async def add(self, entries: Sequence[Entry]) -> None:
        """Add new entries."""
        began = self._environment.now
        await self._outage()
        before = dict(self.entries)
        await super().add(entries)
        self._checks.added(entries, before, began)

    async def save(self, entries: Sequence[Entry]) -> None:
        """Write the current form of entries."""
        await self._outage()
        before = dict(self.entries)
        await super().save(entries)
        self._checks.saved(entries, before)

    async def _outage(self) -> None:
        await asyncio.sleep(self._environment.latency() / 10)
        if self._environment.happens(self._environment.faults.storage_outages):
            await asyncio.sleep(self._environment.random.uniform(0.5, 6.0))
