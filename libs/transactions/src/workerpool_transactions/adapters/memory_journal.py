"""A journal in memory, which survives a `Pipeline`, not its process: for tests, simulations and `poolctl init`."""

from collections.abc import Sequence

from workerpool_transactions.domain.entry import Entry, EntryState
from workerpool_transactions.ports import NonceTaken


class MemoryJournal:
    """Implements the `Journal` port."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}

    async def add(self, entries: Sequence[Entry]) -> None:
        """Add new entries; raises `NonceTaken` and adds none when another entry has one of the nonces."""
        for each in entries:
            held = self.entries.get(each.nonce)
            if held is not None and held.versions[0].hash != each.versions[0].hash:
                raise NonceTaken(f"the journal already holds another transaction with nonce {each.nonce}")
        for each in entries:
            self.entries.setdefault(each.nonce, each)

    async def save(self, entries: Sequence[Entry]) -> None:
        """Write the current form of entries."""
        self.entries.update({each.nonce: each for each in entries})

    async def live(self) -> list[Entry]:
        """Return the entries that have not ended, by nonce."""
        return [each for each in self._by_nonce() if each.is_live]

    async def ended(self, first: int, before: int | None) -> list[Entry]:
        """Return ended entries with nonces from `first` up to, not including, `before` (None: no bound), by nonce."""
        return [
            each
            for each in self._by_nonce()
            if not each.is_live and each.nonce >= first and (before is None or each.nonce < before)
        ]

    async def last_mined(self, since: float) -> list[Entry]:
        """Return the MINED entries that ended at or after `since` (Unix seconds), and always the newest, by nonce."""
        mined = [each for each in self._by_nonce() if each.state is EntryState.MINED]
        return [each for each in mined if each.updated_at >= since or each is mined[-1]]

    async def labelled(self, label: str) -> list[Entry]:
        """Return the entries that carry a label, live or ended, by nonce."""
        return [each for each in self._by_nonce() if label in each.call.labels]

    async def highest_nonce(self) -> int | None:
        """Return the highest nonce of any entry; None for an empty journal."""
        return max(self.entries, default=None)

    def _by_nonce(self) -> list[Entry]:
        return [self.entries[nonce] for nonce in sorted(self.entries)]
