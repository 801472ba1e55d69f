"""The wallet's journal with updates of the commands of its entries, so that callers see each transaction."""

from collections.abc import Sequence

from workerpool_transactions.domain.entry import Entry
from workerpool_transactions.ports import Journal

from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.outcomes import Outcomes


class FollowedJournal:
    """A wrapper of the wallet's `Journal`; commands change after the entry is stored and before it is sent."""

    def __init__(self, journal: Journal, outcomes: Outcomes, active: ActiveCommands) -> None:
        self._journal = journal
        self._outcomes = outcomes
        self._active = active
        self.live = journal.live
        self.ended = journal.ended
        self.last_mined = journal.last_mined
        self.labelled = journal.labelled
        self.highest_nonce = journal.highest_nonce

    async def add(self, entries: Sequence[Entry]) -> None:
        """Add new entries; see `Journal`. The submitter journals their commands while the entries are sent."""
        await self._journal.add(entries)
        self._outcomes.journaled(entries)

    async def save(self, entries: Sequence[Entry]) -> None:
        """Write the current state of entries; see `Journal`."""
        await self._journal.save(entries)
        await self._active.record(*self._outcomes.journaled(entries))
