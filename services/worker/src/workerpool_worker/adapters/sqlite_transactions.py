"""The journal of the wallet's transactions, in tables of the worker's SQLite file."""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

from workerpool_kit.sqlite_file import SqliteFile
from workerpool_poco.protocol.ids import Address, from_hex, to_hex
from workerpool_transactions.domain.entry import LIVE_STATES, Call, Entry, EntryState, Offer, Receipt, Version
from workerpool_transactions.ports import NonceTaken

SCHEMA = """
CREATE TABLE transactions (
    account TEXT NOT NULL, nonce INTEGER NOT NULL, state TEXT NOT NULL, updated_at REAL NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (account, nonce)
) WITHOUT ROWID;
CREATE INDEX transactions_by_state ON transactions (account, state, updated_at);
CREATE TABLE labels (
    account TEXT NOT NULL, label TEXT NOT NULL, nonce INTEGER NOT NULL, PRIMARY KEY (account, label, nonce)
) WITHOUT ROWID;
CREATE INDEX labels_by_nonce ON labels (account, nonce);
"""
KEPT_S = 14 * 86_400.0
"""Seconds for which an ended transaction is kept."""
_SOON_S = 0.05
"""The report of a receipt follows its transaction's end, and shares its commit."""
_LIVE = tuple(sorted(LIVE_STATES))
_IS_LIVE = f"state IN ({', '.join('?' * len(_LIVE))})"
_SELECT = "SELECT content FROM transactions WHERE account = ?"


class SqliteTransactions:
    """The entries of one wallet on one chain. Implements the `Journal` port of the transaction pipeline.

    Reads see every write that was given before them. Raises `JournalUnusable` once the file cannot be written.
    """

    def __init__(self, file: SqliteFile, *, chain_id: int, wallet: Address) -> None:
        """Use an open file."""
        self._file = file
        self._account = account(chain_id, wallet)

    async def add(self, entries: Sequence[Entry]) -> None:
        """Add new entries, before any is sent; repeating a call is harmless.

        Raises `NonceTaken` and adds none when the journal holds another entry under one of the nonces.
        """

        def add(connection: sqlite3.Connection) -> int | None:
            for entry in entries:
                (held,) = self._entries(connection, "nonce = ?", entry.nonce) or (None,)
                if held is not None and held.versions[0].hash != entry.versions[0].hash:
                    return entry.nonce
            new = [each for each in entries if not self._entries(connection, "nonce = ?", each.nonce)]
            store(connection, self._account, new)
            return None

        taken = await self._file.run(add)
        if taken is not None:
            raise NonceTaken(
                f"the journal {self._file.path} holds another transaction with the nonce {taken}"
            )

    async def save(self, entries: Sequence[Entry]) -> None:
        """Write the current form of entries; of ended ones with the next commit or within 50 ms.

        A process that dies before finds those in flight, and reads from the chain again how they ended.
        """

        def save(connection: sqlite3.Connection) -> None:
            store(connection, self._account, entries)

        if any(each.is_live for each in entries):
            await self._file.run(save)
        else:
            self._file.run_later(save, within_s=_SOON_S)

    async def live(self) -> list[Entry]:
        """Return the entries that have not ended, by nonce."""
        return await self._read(_IS_LIVE, *_LIVE)

    async def ended(self, first: int, before: int | None) -> list[Entry]:
        """Return ended entries with nonces from `first` up to, not including, `before` (None: no bound), by nonce."""
        bound, values = ("", ()) if before is None else (" AND nonce < ?", (before,))
        return await self._read(f"NOT {_IS_LIVE} AND nonce >= ?{bound}", *_LIVE, first, *values)

    async def last_mined(self, since: float) -> list[Entry]:
        """Return the MINED entries that ended at or after `since` (Unix seconds), and always the newest, by nonce."""
        mined = EntryState.MINED.value
        newest = "nonce = (SELECT max(nonce) FROM transactions WHERE account = ? AND state = ?)"
        return await self._read(
            f"state = ? AND (updated_at >= ? OR {newest})", mined, since, self._account, mined
        )

    async def labelled(self, label: str) -> list[Entry]:
        """Return the entries that carry a label, live or ended, by nonce."""
        named = "nonce IN (SELECT nonce FROM labels WHERE account = ? AND label = ?)"
        return await self._read(named, self._account, label)

    async def highest_nonce(self) -> int | None:
        """Return the highest nonce of any entry; None for an empty journal."""

        def highest(connection: sqlite3.Connection) -> int | None:
            query = "SELECT max(nonce) FROM transactions WHERE account = ?"
            found: tuple[int | None] = connection.execute(query, (self._account,)).fetchone()
            return found[0]

        nonce: int | None = await self._file.run(highest)
        return nonce

    async def forget_old(self) -> None:
        """Delete entries that ended more than `KEPT_S` ago, below the newest mined one."""

        def forget(connection: sqlite3.Connection) -> None:
            newest = "(SELECT max(nonce) FROM transactions WHERE account = ? AND state = ?)"
            old = connection.execute(
                f"SELECT nonce FROM transactions WHERE account = ? AND NOT {_IS_LIVE} AND updated_at < ? "
                f"AND nonce < {newest}",
                (self._account, *_LIVE, time.time() - KEPT_S, self._account, EntryState.MINED.value),
            ).fetchall()
            for table in ("transactions", "labels"):
                connection.executemany(
                    f"DELETE FROM {table} WHERE account = ? AND nonce = ?",
                    [(self._account, nonce) for (nonce,) in old],
                )

        await self._file.run(forget)

    async def _read(self, condition: str, *values: object) -> list[Entry]:
        entries: list[Entry] = await self._file.run(
            lambda connection: self._entries(connection, condition, *values)
        )
        return entries

    def _entries(self, connection: sqlite3.Connection, condition: str, *values: object) -> list[Entry]:
        rows = connection.execute(f"{_SELECT} AND {condition} ORDER BY nonce", (self._account, *values))
        return [_entry(content) for (content,) in rows]


def account(chain_id: int, wallet: Address) -> str:
    """Return the key of a wallet on a chain in both tables."""
    return f"{chain_id}:{wallet}"


def store(connection: sqlite3.Connection, owner: str, entries: Iterable[Entry]) -> None:
    """Write the current form of the entries of an account, within the open transaction."""
    for entry in entries:
        connection.execute(
            "INSERT OR REPLACE INTO transactions VALUES (?, ?, ?, ?, ?)",
            (owner, entry.nonce, entry.state.value, entry.updated_at, _content(entry)),
        )
        connection.execute("DELETE FROM labels WHERE account = ? AND nonce = ?", (owner, entry.nonce))
        for label in entry.call.labels:
            connection.execute("INSERT OR IGNORE INTO labels VALUES (?, ?, ?)", (owner, label, entry.nonce))


def _content(entry: Entry) -> str:
    call, receipt = entry.call, entry.receipt
    return json.dumps(
        {
            "nonce": entry.nonce,
            "to": call.to,
            "data": to_hex(call.data),
            "gas": call.gas,
            "labels": call.labels,
            # Text: wei exceed the integers that some readers of JSON keep.
            "value": str(call.value),
            "versions": [_version_content(each) for each in entry.versions],
            "created_at": entry.created_at,
            "state": entry.state.value,
            "receipt": receipt
            and {
                "hash": receipt.hash,
                "succeeded": receipt.succeeded,
                "block_number": receipt.block_number,
                "gas_used": receipt.gas_used,
                "block_hash": receipt.block_hash,
            },
            "updated_at": entry.updated_at,
        }
    )


def _version_content(version: Version) -> dict[str, Any]:
    offer = version.offer
    return {
        "hash": version.hash,
        "raw": to_hex(version.raw),
        "max_fee": str(offer.max_fee),
        "tip": None if offer.tip is None else str(offer.tip),
        "is_empty": version.is_empty,
    }


def _entry(content: str) -> Entry:
    fields: dict[str, Any] = json.loads(content)
    return Entry(
        nonce=fields["nonce"],
        call=Call(
            to=fields["to"],
            data=from_hex(fields["data"]),
            gas=fields["gas"],
            labels=tuple(fields["labels"]),
            value=int(fields["value"]),
        ),
        versions=tuple(_version(each) for each in fields["versions"]),
        created_at=fields["created_at"],
        state=EntryState(fields["state"]),
        receipt=fields["receipt"] and Receipt(**fields["receipt"]),
        updated_at=fields["updated_at"],
    )


def _version(fields: dict[str, Any]) -> Version:
    tip = fields["tip"]
    offer = Offer(int(fields["max_fee"]), None if tip is None else int(tip))
    return Version(fields["hash"], from_hex(fields["raw"]), offer, fields["is_empty"])
