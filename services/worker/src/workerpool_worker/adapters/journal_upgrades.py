"""Upgrades of the worker's journal, so that a new version continues the replicates of the one before it."""

import json
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from workerpool_kit.sqlite_file import Work, execute_script
from workerpool_poco.chain.signed_transactions import decode_transaction
from workerpool_poco.protocol.ids import Hex, TaskId, from_hex
from workerpool_transactions.domain.entry import Call, Entry, Offer, Version

from workerpool_worker.adapters import sqlite_transactions
from workerpool_worker.domain.wallet.transactions import TransactionKind, label

_SENT = {"contribute_tx": TransactionKind.CONTRIBUTE, "reveal_tx": TransactionKind.REVEAL}
"""Fields of a record of version 1 that held the transaction of a step."""


def _move_transactions(connection: sqlite3.Connection) -> None:
    """Make version 2: the wallet's transactions have tables of their own instead of fields of a record (0.1.0)."""
    execute_script(connection, sqlite_transactions.SCHEMA)
    for task_id, record in connection.execute("SELECT task_id, record FROM replicates").fetchall():
        content: dict[str, Any] = json.loads(record)
        # Versions before 0.1.0 stored it.
        content.pop("failed_stage", None)
        for field, kind in _SENT.items():
            if (sent := content.pop(field, None)) is not None:
                _store(connection, sent, label(kind, TaskId(task_id)))
        connection.execute(
            "UPDATE replicates SET record = ? WHERE task_id = ?", (json.dumps(content), task_id)
        )


def _store(connection: sqlite3.Connection, sent: dict[str, Any], name: str) -> None:
    """Store a sent transaction as a live entry: the pipeline finds it mined, or sends it again.

    Of cheaper versions before it the journal held hashes only. Should one of them be mined, the entry is displaced, and
    the step finds its effect on chain.
    """
    raw = from_hex(sent["raw"])
    signed, wallet = decode_transaction(raw)
    transaction = signed.transaction
    assert transaction.to is not None
    now = time.time()
    entry = Entry(
        nonce=transaction.nonce,
        call=Call(transaction.to, transaction.data, transaction.gas, (name,), transaction.value),
        versions=(Version(Hex(sent["hash"]), raw, Offer(transaction.gas_price, transaction.tip)),),
        created_at=now,
        updated_at=now,
    )
    sqlite_transactions.store(connection, sqlite_transactions.account(transaction.chain_id, wallet), [entry])


UPGRADES: Mapping[int, Work] = {1: _move_transactions}
"""For each earlier version of the journal, what makes the next one of it."""
