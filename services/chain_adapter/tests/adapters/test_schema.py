"""A journal of release 0.1.0 in MongoDB: the adapter of today continues its transactions."""

from collections.abc import AsyncIterator
from typing import Any

import pymongo
import pytest
from pydantic import SecretStr
from pymongo.database import Database as PyMongoDatabase
from workerpool_chain_adapter.adapters.mongo.documents import MODELS
from workerpool_chain_adapter.adapters.mongo.entry_journal import MongoEntryJournal
from workerpool_chain_adapter.adapters.mongo.schema import MIGRATIONS
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_poco.chain.signed_transactions import SignedTransaction, Transaction
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import to_hex
from workerpool_transactions.domain.entry import Call, Entry, EntryState, Offer, Receipt, Version

WALLET = Wallet.from_key("0x" + "11" * 32)
HUB = "0x" + "22" * 20
LABEL = "INITIALIZE:0x" + "33" * 32


def signed(nonce: int, gas_price: int) -> SignedTransaction:
    return WALLET.sign_transaction(Transaction(nonce, gas_price, 300_000, HUB, 0, b"\x01\x02", 134))


def transaction(nonce: int, state: str, *prices: int, block: int = 0) -> dict[str, Any]:
    """Return a transaction as release 0.1.0 stored it."""
    versions = [signed(nonce, price) for price in prices]
    return {
        "_id": f"{WALLET.address}:{nonce}",
        "wallet": WALLET.address,
        "nonce": nonce,
        "commands": [LABEL],
        "data": b"\x01\x02",
        "gas": 300_000,
        "versions": [
            {"hash": to_hex(each.hash), "raw": each.raw, "gas_price": str(each.transaction.gas_price)}
            for each in versions
        ],
        "created_at": 1_000.0 + nonce,
        "first_block": 5,
        "block_number": block,
        "state": state,
    }


def entry(nonce: int, state: EntryState, *prices: int, receipt: Receipt | None = None) -> Entry:
    versions = [
        Version(to_hex(each.hash), each.raw, Offer(each.transaction.gas_price))
        for each in (signed(nonce, price) for price in prices)
    ]
    call = Call(HUB, b"\x01\x02", 300_000, (LABEL,))
    at = 1_000.0 + nonce
    return Entry(nonce, call, tuple(versions), at, state, receipt, at)


@pytest.fixture
async def stored(mongod: Mongod, database_name: str) -> AsyncIterator[PyMongoDatabase[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        yield client[database_name]


async def journal_of(mongod: Mongod, name: str) -> tuple[Database, MongoEntryJournal]:
    settings = MongoSettings(mongo_uri=SecretStr(mongod.uri), mongo_database=name)
    database = await Database.connect(settings, models=MODELS, migrations=MIGRATIONS)
    return database, MongoEntryJournal(database, WALLET.address)


async def test_transactions_become_entries(
    mongod: Mongod, database_name: str, stored: PyMongoDatabase[dict[str, Any]]
) -> None:
    stored["transactions"].insert_many(
        [
            transaction(0, "MINED", 7, block=11),
            transaction(1, "REVERTED", 7, 8, block=12),
            transaction(2, "REPLACED", 7),
            transaction(3, "PENDING", 7, 9),
        ]
    )
    database, journal = await journal_of(mongod, database_name)
    assert await journal.live() == [entry(3, EntryState.SIGNED, 7, 9)]
    newest = [to_hex(signed(0, 7).hash), to_hex(signed(1, 8).hash)]
    assert await journal.ended(0, None) == [
        entry(0, EntryState.MINED, 7, receipt=Receipt(newest[0], True, 11, 0)),
        entry(1, EntryState.REVERTED, 7, 8, receipt=Receipt(newest[1], False, 12, 0)),
        entry(2, EntryState.DISPLACED, 7),
    ]
    assert await journal.highest_nonce() == 3
    assert await journal.labelled(LABEL) == [*await journal.ended(0, None), *await journal.live()]
    assert "transactions" not in stored.list_collection_names()
    await database.close()


async def test_an_entry_that_a_stopped_migration_made_is_kept(
    mongod: Mongod, database_name: str, stored: PyMongoDatabase[dict[str, Any]]
) -> None:
    stored["transactions"].insert_one(transaction(3, "PENDING", 7))
    database, journal = await journal_of(mongod, database_name)
    await journal.save([entry(3, EntryState.SENT, 7)])
    await database.close()
    # The process died before it recorded that it was done.
    stored["transactions"].insert_one(transaction(3, "PENDING", 7))
    stored["schema"].update_one({}, {"$set": {"version": 1, "oldest_reader": 1}})
    database, journal = await journal_of(mongod, database_name)
    assert await journal.live() == [entry(3, EntryState.SENT, 7)]
    await database.close()
