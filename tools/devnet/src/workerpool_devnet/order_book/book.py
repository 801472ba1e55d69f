"""The published orders, kept in memory and in a journal.

The journal is a file of the run folder, so that orders survive a restart of the market: publishers are tested
against a market that restarts, as the real one keeps its orders. The folder is removed with the devnet, so a
database is not worth its start-up time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workerpool_poco.protocol.ids import Address, Hex

from workerpool_devnet.order_book.entries import Entry, OrderKind

FINAL_BLOCKS = 64
"""Blocks after which a consumed order is not read again; a reorganisation replaces fewer."""


class Book:
    """Holds entries by hash. Opening it reads the journal."""

    def __init__(self, journal: Path) -> None:
        self._entries: dict[Hex, Entry] = {}
        self._live: dict[Hex, Entry] = {}
        self._used_up: dict[Hex, int] = {}
        """Hash of a live order → number of the block at which it was first seen to be used up."""
        self.next_position = 0
        """Position of the next entry."""
        self._journal = journal.open("a+b")
        self._journal.seek(0)
        content = self._journal.read()
        complete = content[: content.rfind(b"\n") + 1]
        # A process that was killed may have written half of its last line.
        self._journal.truncate(len(complete))
        for line in complete.splitlines():
            self._replay(json.loads(line))

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def add(self, entry: Entry) -> None:
        """Publish an entry; its hash must be new."""
        self._write(
            {
                "kind": entry.kind.value,
                "hash": entry.order_hash,
                "signer": entry.signer,
                "at": entry.published_at.timestamp(),
                "position": entry.position,
                "order": entry.order.to_json(),
            }
        )
        self._insert(entry)

    def remove(self, entry: Entry) -> None:
        """Withdraw an entry."""
        self._write({"removed": entry.order_hash})
        self._drop(entry.order_hash)

    def find(self, kind: OrderKind, order_hash: Hex) -> Entry | None:
        """Return a published entry, also one that is used up; None for an unknown one."""
        entry = self._entries.get(order_hash)
        return entry if entry is not None and entry.kind is kind else None

    def live(self) -> list[Entry]:
        """Return the entries that may be open, in the order of their publication."""
        return list(self._live.values())

    def of_signer(self, signer: Address) -> list[Entry]:
        """Return the entries of one wallet that may be open, in the order of their publication."""
        return [entry for entry in self._live.values() if entry.signer == signer]

    def note_volumes(self, used_up: Iterable[Entry], rest: Iterable[Entry], block: int) -> None:
        """Record which entries have no volume left at a block and which have some, perhaps again."""
        for entry in rest:
            self._used_up.pop(entry.order_hash, None)
        for entry in used_up:
            since = self._used_up.setdefault(entry.order_hash, block)
            if block - since >= FINAL_BLOCKS:
                del self._used_up[entry.order_hash]
                self._live.pop(entry.order_hash, None)

    def _write(self, record: dict[str, Any]) -> None:
        self._journal.write(json.dumps(record).encode() + b"\n")
        self._journal.flush()

    def _replay(self, record: dict[str, Any]) -> None:
        if "removed" in record:
            self._drop(record["removed"])
            return
        kind = OrderKind(record["kind"])
        self._insert(
            Entry(
                kind=kind,
                order=kind.order_type.from_json(record["order"]),
                order_hash=record["hash"],
                signer=record["signer"],
                published_at=datetime.fromtimestamp(record["at"], UTC),
                position=record["position"],
            )
        )

    def _insert(self, entry: Entry) -> None:
        self._entries[entry.order_hash] = self._live[entry.order_hash] = entry
        self.next_position = entry.position + 1

    def _drop(self, order_hash: Hex) -> None:
        self._entries.pop(order_hash, None)
        self._live.pop(order_hash, None)
        self._used_up.pop(order_hash, None)
