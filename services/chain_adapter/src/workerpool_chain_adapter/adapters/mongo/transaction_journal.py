"""The `TransactionJournal` port in MongoDB."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.ids import Address

from workerpool_chain_adapter.adapters.mongo.bulk import insert_new, replace_all
from workerpool_chain_adapter.adapters.mongo.documents import TransactionDocument
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, TransactionState
from workerpool_chain_adapter.errors import NonceTaken


class MongoTransactionJournal:
    """The transactions of `wallet` by nonce. Each call is one or two round trips, whatever their number."""

    def __init__(self, database: Database, wallet: Address) -> None:
        self._database = database
        self._wallet = wallet

    async def add(self, transactions: Sequence[JournaledTransaction]) -> None:
        """Add new transactions; see `TransactionJournal`."""
        if transactions:
            await self._database.run_with_retry(self._add, transactions)

    async def save(self, transactions: Sequence[JournaledTransaction]) -> None:
        """Write the current form of transactions; see `TransactionJournal`."""
        if transactions:
            documents = [TransactionDocument.of(self._wallet, each) for each in transactions]
            await self._database.run_with_retry(replace_all, documents)

    async def pending(self) -> list[JournaledTransaction]:
        """Return the transactions that have not ended; see `TransactionJournal`."""
        return await self._database.run_with_retry(
            lambda: list(self._find("nonce", state=TransactionState.PENDING))
        )

    async def ended(self, first: int, before: int | None) -> list[JournaledTransaction]:
        """Return ended transactions by nonce; see `TransactionJournal`."""
        wanted: dict[str, Any] = {"state__ne": TransactionState.PENDING, "nonce__gte": first}
        if before is not None:
            wanted["nonce__lt"] = before
        return await self._database.run_with_retry(lambda: list(self._find("nonce", **wanted)))

    async def last_mined(self, blocks: int) -> list[JournaledTransaction]:
        """Return the transactions mined last; see `TransactionJournal`."""
        return await self._database.run_with_retry(self._last_mined, blocks)

    def _add(self, transactions: Sequence[JournaledTransaction]) -> None:
        refused = [
            transactions[index]
            for index in insert_new([TransactionDocument.of(self._wallet, each) for each in transactions])
        ]
        if not refused:
            return
        stored = {
            each.nonce: each for each in self._find("nonce", nonce__in=[each.nonce for each in refused])
        }
        # An insert that is repeated because its answer was lost finds its own transactions.
        taken = [each.nonce for each in refused if stored[each.nonce].versions != each.versions]
        if taken:
            raise NonceTaken(
                f"the journal already has other transactions of {self._wallet} at nonces {taken}"
            )

    def _last_mined(self, blocks: int) -> list[JournaledTransaction]:
        # Nonces are mined in order and indexed; block numbers are not.
        newest_first = self._find("-nonce", state=TransactionState.MINED, block_number__gt=0)
        newest = next(newest_first, None)
        if newest is None:
            return []
        oldest_block = newest.block_number - blocks
        return [newest, *takewhile(lambda each: each.block_number >= oldest_block, newest_first)]

    def _find(self, order: str, **wanted: Any) -> Iterator[JournaledTransaction]:
        # Without a cache: `last_mined` reads only the first of many.
        found = TransactionDocument.objects(wallet=self._wallet, **wanted).order_by(order).no_cache()
        return (each.transaction() for each in found)
