"""A journal that release 0.1.0 wrote: the worker of today continues its replicates and transactions."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from workerpool_kit.sqlite_file import SqliteFile
from workerpool_poco.chain.signed_transactions import SignedTransaction, Transaction
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_transactions.domain.entry import Entry, EntryState
from workerpool_worker.adapters.journal_upgrades import UPGRADES
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.adapters.sqlite_transactions import SqliteTransactions
from workerpool_worker.app.ports import JournalSnapshot
from workerpool_worker.domain.record import Command, ReplicateRecord, Result
from workerpool_worker.domain.stages import Action, Stage
from workerpool_worker.errors import JournalUnusable

from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID
from services.worker.tests.harness.context import unexpected

SCHEMA = """
CREATE TABLE replicates (task_id TEXT PRIMARY KEY, assignment BLOB NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE updates (sequence INTEGER PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE commands (sequence INTEGER PRIMARY KEY, task_id TEXT NOT NULL);
CREATE TABLE ended (task_id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
"""The schema of release 0.1.0."""
CHAIN_ID = 134
WALLET = Wallet.from_key("0x" + "11" * 32)
HUB = "0x" + "22" * 20


def signed(nonce: int) -> SignedTransaction:
    transaction = Transaction(nonce, 22_000_000_000, 500_000, HUB, 0, b"\x01\x02", CHAIN_ID)
    return WALLET.sign_transaction(transaction)


def sent(transaction: SignedTransaction, *earlier: str) -> dict[str, Any]:
    """Return a sent transaction as a record of release 0.1.0 spells it."""
    return {
        "hash": to_hex(transaction.hash),
        "raw": to_hex(transaction.raw),
        "nonce": transaction.nonce,
        "earlier": list(earlier),
    }


def record(**changes: Any) -> dict[str, Any]:
    """Return a record as release 0.1.0 spells it."""
    fields: dict[str, Any] = {
        "task_id": TASK_ID,
        "stage": "START",
        "status": "CREATED",
        "result": None,
        "contribute_tx": None,
        "reveal_tx": None,
        "consensus_block": 0,
        "last_command": 0,
        "pending": [],
    }
    return fields | changes


def written(path: Path, *records: dict[str, Any]) -> Path:
    """Write a journal of release 0.1.0 with replicates, the counter of updates, a command and an ended task."""
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
        for each in records:
            connection.execute(
                "INSERT INTO replicates VALUES (?, ?, ?)", (each["task_id"], b"wire", json.dumps(each))
            )
        connection.execute("INSERT INTO counter VALUES ('update', 41)")
        connection.execute("INSERT INTO commands VALUES (7, ?)", (TASK_ID,))
        connection.execute("INSERT INTO ended VALUES (?, 4e9)", (OTHER_TASK_ID,))
    connection.close()
    return path


async def upgraded(path: Path) -> tuple[JournalSnapshot, list[Entry]]:
    """Open the journal with the worker of today; return its content and the live transactions."""
    journal = SqliteJournal(path, on_failure=unexpected)
    snapshot = await journal.open()
    live = await SqliteTransactions(journal.file, chain_id=CHAIN_ID, wallet=WALLET.address).live()
    await journal.close()
    return snapshot, live


def test_every_earlier_version_has_an_upgrade() -> None:
    assert sorted(UPGRADES) == list(range(1, len(UPGRADES) + 1))


async def test_replicates_are_continued_where_they_were(tmp_path: Path) -> None:
    result = {"digest": "0x" + "ab" * 32, "callback_data": "", "cause": None, "message": ""}
    failed = {"digest": "", "callback_data": "", "cause": "APP_COMPUTE_FAILED", "message": "it failed"}
    command = {"sequence": 7, "task_id": TASK_ID, "action": "REVEAL", "block_number": 9, "cause": None}
    path = written(
        tmp_path / "journal.db",
        record(stage="AWAIT_REVEAL", status="CONTRIBUTED", result=result, last_command=7, pending=[command]),
        record(task_id=OTHER_TASK_ID, stage="FAILED", status="COMPUTE_FAILED", result=failed),
    )
    for _ in range(2):
        snapshot, live = await upgraded(path)
        assert snapshot.replicates == (
            (
                b"wire",
                ReplicateRecord(
                    TASK_ID,
                    Stage.AWAIT_REVEAL,
                    ReplicateStatus.CONTRIBUTED,
                    Result("0x" + "ab" * 32),
                    last_command=7,
                    pending=(Command(7, TASK_ID, Action.REVEAL, 9),),
                ),
            ),
            (
                b"wire",
                ReplicateRecord(
                    OTHER_TASK_ID,
                    Stage.FAILED,
                    ReplicateStatus.COMPUTE_FAILED,
                    Result(cause=ReplicateStatusCause.APP_COMPUTE_FAILED, message="it failed"),
                ),
            ),
        )
        assert snapshot.commands == {7}
        assert (snapshot.ended, snapshot.last_sequence) == ((OTHER_TASK_ID,), 41)
        assert live == []


async def test_transactions_that_were_sent_are_followed(tmp_path: Path) -> None:
    contribution, reveal = signed(3), signed(4)
    path = written(
        tmp_path / "journal.db",
        record(stage="REVEAL", contribute_tx=sent(contribution, "0x" + "cc" * 32), reveal_tx=sent(reveal)),
    )
    snapshot, live = await upgraded(path)
    assert len(snapshot.replicates) == 1
    assert [each.call.labels for each in live] == [(f"CONTRIBUTE:{TASK_ID}",), (f"REVEAL:{TASK_ID}",)]
    for entry, transaction in zip(live, (contribution, reveal), strict=True):
        (version,) = entry.versions
        assert (entry.nonce, entry.state, entry.call.to) == (transaction.nonce, EntryState.SIGNED, HUB)
        assert (version.hash, version.raw) == (to_hex(transaction.hash), transaction.raw)
        assert (version.offer.max_fee, version.offer.tip) == (22_000_000_000, None)


async def test_a_damaged_transaction_leaves_the_journal_as_it_is(tmp_path: Path) -> None:
    broken = sent(signed(3)) | {"raw": "0x1234"}
    path = written(tmp_path / "journal.db", record(stage="CONTRIBUTE", contribute_tx=broken))
    with pytest.raises(JournalUnusable, match="not a signed transaction"):
        await upgraded(path)
    untouched = SqliteFile(path, schema=SCHEMA, version=1, unusable=JournalUnusable, on_failure=unexpected)
    tables = await untouched.open(
        lambda connection: connection.execute(
            "SELECT name FROM sqlite_master WHERE name = 'labels'"
        ).fetchall()
    )
    await untouched.close()
    assert tables == []
