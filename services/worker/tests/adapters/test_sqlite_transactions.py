"""The journal of the wallet's transactions in the worker's SQLite file."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from workerpool_transactions.domain.entry import EntryState
from workerpool_transactions.ports import Journal
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.adapters.sqlite_transactions import KEPT_S, SqliteTransactions

from libs.transactions.tests.contract.journal_contract import JournalContract, Reopen, entry, mined
from services.worker.tests.harness.builders import WORKER
from services.worker.tests.harness.context import unexpected


class Storage:
    """One file, opened by one process after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: SqliteJournal | None = None

    async def reopen(self, chain_id: int = 134) -> SqliteTransactions:
        await self.close()
        self._open = SqliteJournal(self._path, on_failure=unexpected)
        await self._open.open()
        return SqliteTransactions(self._open.file, chain_id=chain_id, wallet=WORKER)

    async def close(self) -> None:
        if self._open is not None:
            await self._open.close()


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = Storage(tmp_path / "journal.db")
    yield storage
    await storage.close()


class TestContract(JournalContract):
    @pytest.fixture
    async def reopen(self, storage: Storage) -> Reopen:
        async def reopen() -> Journal:
            return await storage.reopen()

        return reopen


async def test_each_chain_has_its_own_nonces(storage: Storage) -> None:
    await (await storage.reopen(chain_id=134)).add([entry(0, "a")])
    other = await storage.reopen(chain_id=42161)
    assert await other.highest_nonce() is None
    assert await other.labelled("a") == []
    await other.add([entry(0, "b")])
    assert [each.call.labels for each in await (await storage.reopen(chain_id=134)).live()] == [("a",)]


async def test_a_read_sees_a_write_that_is_not_durable_yet(storage: Storage) -> None:
    """A step that is interrupted while its transaction is journaled must find it when it runs again."""
    journal = await storage.reopen()
    adding = journal.add([entry(0, "REVEAL:0x11")])
    writing = adding.send(None)
    assert writing is not None, "the write has begun"
    found = await journal.labelled("REVEAL:0x11")
    assert [each.nonce for each in found] == [0]
    adding.close()


async def test_old_transactions_are_forgotten_below_the_newest_mined_one(storage: Storage) -> None:
    journal = await storage.reopen()
    now = time.time()
    old, recent = now - KEPT_S - 60, now - 60
    await journal.add([entry(nonce, f"work {nonce}") for nonce in range(4)])
    reverted = entry(1, "work 1").ended(EntryState.REVERTED, old)
    await journal.save([mined(entry(0, "work 0"), old), reverted, mined(entry(2, "work 2"), recent)])
    await journal.forget_old()
    assert [each.nonce for each in await journal.ended(0, None)] == [2]
    assert [each.nonce for each in await journal.live()] == [3]
    assert await journal.labelled("work 0") == []
    assert await journal.highest_nonce() == 3


async def test_the_newest_mined_transaction_is_kept_however_old(storage: Storage) -> None:
    journal = await storage.reopen()
    await journal.add([entry(5, "work 5")])
    await journal.save([mined(entry(5, "work 5"), time.time() - 2 * KEPT_S)])
    await journal.forget_old()
    assert await journal.highest_nonce() == 5
