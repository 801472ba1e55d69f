"""The journal of the signed orders: a SQLite file that one process locks.

It is not in MongoDB, because the publisher must be able to withdraw orders while the pool's database is down. SQLite's
exclusive lock also keeps a second publisher from selling the same slots. Its few dozen rows survive kill -9 and power
loss.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workerpool_kit.sqlite_file import SqliteFile

from workerpool_order_publisher.domain.order_book import Order, OrderState, Terms
from workerpool_order_publisher.errors import JournalUnusable

_VERSION = 1
_SCHEMA = """
CREATE TABLE origin (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE orders (hash TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
"""


class SqliteJournal:
    """An open journal. Implements the `Journal` port. Its writes wait while the volume is full."""

    def __init__(
        self,
        path: Path,
        *,
        on_failure: Callable[[Exception], None],
        on_wait: Callable[[str | None], None] = lambda reason: None,
    ) -> None:
        """Create the journal without opening the file; see `SqliteFile`."""
        self._file = SqliteFile(
            path,
            schema=_SCHEMA,
            version=_VERSION,
            unusable=JournalUnusable,
            on_failure=on_failure,
            on_wait=on_wait,
            only_holder="a pool has one order publisher",
        )

    async def open(self, origin: str) -> None:
        """Open or create the file for `origin`, which names chain, hub and pool.

        Raises JournalUnusable when another process holds the file, or when the file belongs to another origin or cannot
        be read.
        """
        await self._file.open(lambda connection: _check_origin(connection, origin))

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()

    async def load(self) -> list[Order]:
        """Return the stored orders."""
        orders: list[Order] = await self._file.run(_load)
        return orders

    async def save(self, order: Order) -> None:
        """Store an order. It is durable when the call returns."""
        row = (order.hash, json.dumps(_content(order)))
        await self._file.write(("INSERT OR REPLACE INTO orders VALUES (?, ?)", row))

    async def forget(self, order_hashes: Sequence[str]) -> None:
        """Remove orders."""
        await self._file.write(
            *(("DELETE FROM orders WHERE hash = ?", (order_hash,)) for order_hash in order_hashes)
        )


def _check_origin(connection: sqlite3.Connection, origin: str) -> None:
    """Write the origin of a new file. Raises ValueError when the file has another origin."""
    found = connection.execute("SELECT value FROM origin").fetchone()
    if found is None:
        connection.execute("INSERT INTO origin VALUES ('origin', ?)", (origin,))
    elif found[0] != origin:
        raise ValueError(
            f"it holds the orders of {found[0]}, not of {origin}; set another ORDER_PUBLISHER_JOURNAL"
        )


def _load(connection: sqlite3.Connection) -> list[Order]:
    rows = connection.execute("SELECT content FROM orders ORDER BY hash")
    return [_order(json.loads(content)) for (content,) in rows]


def _content(order: Order) -> dict[str, Any]:
    content = asdict(order)
    content["state"] = order.state.value
    # After a restart both are read from the chain.
    del content["settled"], content["own"]
    return content


def _order(content: dict[str, Any]) -> Order:
    return Order(**content | {"terms": Terms(**content["terms"]), "state": OrderState(content["state"])})
