"""The `Journal` port of the wallet's pipeline in MongoDB."""

from collections.abc import Sequence
from typing import Any

from mongoengine import Q
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.ids import Address
from workerpool_transactions.domain.entry import LIVE_STATES, Entry, EntryState
from workerpool_transactions.ports import NonceTaken

from workerpool_chain_adapter.adapters.mongo.bulk import insert_new, replace_all
from workerpool_chain_adapter.adapters.mongo.documents import EntryDocument

_LIVE = sorted(LIVE_STATES)


class MongoEntryJournal:
    """The entries of `wallet` by nonce; each call is one or two round trips, whatever their number."""

    def __init__(self, database: Database, wallet: Address) -> None:
        self._database = database
        self._wallet = wallet

    async def add(self, entries: Sequence[Entry]) -> None:
        """Add new entries; see `Journal`."""
        if entries:
            await self._database.run_with_retry(self._add, entries)

    async def save(self, entries: Sequence[Entry]) -> None:
        """Write the current state of entries; see `Journal`."""
        if entries:
            documents = [EntryDocument.of(self._wallet, each) for each in entries]
            await self._database.run_with_retry(replace_all, documents)

    async def live(self) -> list[Entry]:
        """Return the entries that have not ended; see `Journal`."""
        return await self._find(state__in=_LIVE)

    async def ended(self, first: int, before: int | None) -> list[Entry]:
        """Return ended entries by nonce; see `Journal`."""
        wanted: dict[str, Any] = {"state__nin": _LIVE, "nonce__gte": first}
        if before is not None:
            wanted["nonce__lt"] = before
        return await self._find(**wanted)

    async def last_mined(self, since: float) -> list[Entry]:
        """Return the entries mined last; see `Journal`."""
        return await self._database.run_with_retry(self._last_mined, since)

    async def labelled(self, label: str) -> list[Entry]:
        """Return the entries that carry a label; see `Journal`."""
        return await self._find(labels=label)

    async def highest_nonce(self) -> int | None:
        """Return the highest nonce of any entry; see `Journal`."""
        return await self._database.run_with_retry(self._highest_nonce)

    async def _find(self, **wanted: Any) -> list[Entry]:
        return await self._database.run_with_retry(self._read, Q(**wanted))

    def _add(self, entries: Sequence[Entry]) -> None:
        # Of several entries none is added when one is refused; a single one needs no look before.
        if len(entries) > 1 and (taken := self._taken(entries)):
            raise self._nonces_taken(taken)
        # This process holds the wallet's lease; the unique id still refuses an entry added between read and insert.
        refused = insert_new([EntryDocument.of(self._wallet, each) for each in entries])
        if refused and (taken := self._taken([entries[place] for place in refused])):
            raise self._nonces_taken(taken)

    def _nonces_taken(self, taken: Sequence[int]) -> NonceTaken:
        return NonceTaken(
            f"the journal already has other transactions of {self._wallet} at nonces {taken}; stop any other "
            "adapter with this wallet, then restart this one"
        )

    def _taken(self, entries: Sequence[Entry]) -> list[int]:
        """Return the nonces that other transactions hold; the entries of a repeated insert do not count."""
        first = {each.nonce: each.versions[0].hash for each in entries}
        stored = self._read(Q(nonce__in=list(first)))
        return [each.nonce for each in stored if each.versions[0].hash != first[each.nonce]]

    def _last_mined(self, since: float) -> list[Entry]:
        newest = self._of(Q(state=EntryState.MINED)).order_by("-nonce").first()
        if newest is None:
            return []
        recent = Q(state=EntryState.MINED, updated_at__gte=since)
        found = {each.nonce: each for each in (*self._read(recent), newest.entry())}
        return [found[nonce] for nonce in sorted(found)]

    def _highest_nonce(self) -> int | None:
        newest = self._of(Q()).order_by("-nonce").only("nonce").first()
        return None if newest is None else newest.nonce

    def _read(self, wanted: Q) -> list[Entry]:
        return [each.entry() for each in self._of(wanted).order_by("nonce").no_cache()]

    def _of(self, wanted: Q) -> Any:
        return EntryDocument.objects(Q(wallet=self._wallet) & wanted)
