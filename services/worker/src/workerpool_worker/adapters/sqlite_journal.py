"""The worker's journal of replicates, updates and commands in a SQLite file."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from workerpool_kit.sqlite_file import SqliteFile, Statement
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.adapters import journal_upgrades, sqlite_transactions
from workerpool_worker.app.ports import REMEMBERED_COMMANDS, JournalSnapshot
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.updates import Update
from workerpool_worker.errors import JournalUnusable

_SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE replicates (task_id TEXT PRIMARY KEY, assignment BLOB NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE updates (sequence INTEGER PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE commands (sequence INTEGER PRIMARY KEY, task_id TEXT NOT NULL);
CREATE TABLE ended (task_id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
_SOON_S = 0.05
"""What the scheduler does not wait for shares the next commit, and with it the next message."""
_ENDED_MEMORY_S = 14 * 86_400.0


class SqliteJournal:
    """An open journal. Implements the `Journal` port; call it from the event loop's thread."""

    def __init__(
        self,
        path: Path,
        *,
        on_failure: Callable[[Exception], None],
        on_wait: Callable[[str | None], None] = lambda reason: None,
    ) -> None:
        """Create it without opening the file.

        Args:
            path: the file.
            on_failure: receives the first failed write; later writes all fail.
            on_wait: receives the reason while writes wait for space on a full volume, and None when they continue.
        """
        self.path = path
        self.file = SqliteFile(
            path,
            schema=_SCHEMA + sqlite_transactions.SCHEMA,
            version=_SCHEMA_VERSION,
            unusable=JournalUnusable,
            on_failure=on_failure,
            on_wait=on_wait,
            upgrades=journal_upgrades.UPGRADES,
        )
        """The file, which holds the wallet's transactions too."""

    async def open(self) -> JournalSnapshot:
        """Open or create the file and return its content. Raises `JournalUnusable` with the reason."""
        return await self.file.open(_read)

    async def close(self) -> None:
        """Write pending changes and close the file."""
        await self.file.close()

    # --- changes -------------------------------------------------------------

    def save_assignment(self, assignment: bytes, record: ReplicateRecord) -> asyncio.Future[None]:
        """Store a new replicate, with the next change or within 50 ms."""
        return self._write_soon(
            (
                "INSERT OR REPLACE INTO replicates VALUES (?, ?, ?)",
                (record.task_id, assignment, record.to_json()),
            )
        )

    def save(
        self, record: ReplicateRecord, updates: Iterable[Update] = (), *, at_once: bool = True
    ) -> asyncio.Future[None]:
        """Store a record and the updates that report its change; not `at_once`, with the next change or in 50 ms."""
        write = self.file.write if at_once else self._write_soon
        return write(_update_record(record), *_insert_updates(updates))

    def save_command(
        self,
        sequence: int,
        task_id: TaskId,
        record: ReplicateRecord | None = None,
        updates: Iterable[Update] = (),
    ) -> asyncio.Future[None]:
        """Store that a command was accepted, with the record and the updates that it changed.

        Without updates it is stored with the next change or within 50 ms.
        """
        write = self.file.write if updates else self._write_soon
        return write(
            ("INSERT OR IGNORE INTO commands VALUES (?, ?)", (sequence, task_id)),
            ("DELETE FROM commands WHERE sequence <= ?", (sequence - REMEMBERED_COMMANDS,)),
            *([] if record is None else [_update_record(record)]),
            *_insert_updates(updates),
        )

    def delete_updates(
        self, sequences: Iterable[int], unknown_tasks: Iterable[TaskId] = ()
    ) -> asyncio.Future[None]:
        """Delete answered updates, and everything about tasks that the scheduler does not know.

        Updates alone are deleted with the next change or after a second: one that is sent again does no harm.
        """
        answered: list[Statement] = [
            ("DELETE FROM updates WHERE sequence = ?", (sequence,)) for sequence in sequences
        ]
        unknown = [statement for task_id in unknown_tasks for statement in _delete_task(task_id)]
        return self.file.write(*answered, *unknown) if unknown else self.file.write_later(*answered)

    def delete_task(self, task_id: TaskId) -> asyncio.Future[None]:
        """Delete everything about a task."""
        return self.file.write(*_delete_task(task_id))

    def end(self, task_id: TaskId, updates: Iterable[Update]) -> asyncio.Future[None]:
        """Delete a replicate, store its final updates, and remember that it ended."""
        return self.file.write(
            ("DELETE FROM replicates WHERE task_id = ?", (task_id,)),
            ("INSERT OR REPLACE INTO ended VALUES (?, ?)", (task_id, time.time())),
            *_insert_updates(updates),
        )

    def _write_soon(self, *statements: Statement) -> asyncio.Future[None]:
        return self.file.write_later(*statements, within_s=_SOON_S)

    def delete_end(self, task_id: TaskId) -> asyncio.Future[None]:
        """Delete the memory that a replicate of a task ended."""
        return self.file.write(("DELETE FROM ended WHERE task_id = ?", (task_id,)))


def _update_record(record: ReplicateRecord) -> Statement:
    return "UPDATE replicates SET record = ? WHERE task_id = ?", (record.to_json(), record.task_id)


def _insert_updates(updates: Iterable[Update]) -> list[Statement]:
    statements: list[Statement] = []
    for update in updates:
        statements.append(("INSERT INTO updates VALUES (?, ?)", (update.sequence, update.to_json())))
        statements.append(("INSERT OR REPLACE INTO counter VALUES ('update', ?)", (update.sequence,)))
    return statements


def _delete_task(task_id: TaskId) -> list[Statement]:
    return [
        ("DELETE FROM replicates WHERE task_id = ?", (task_id,)),
        ("DELETE FROM ended WHERE task_id = ?", (task_id,)),
        ("DELETE FROM updates WHERE json_extract(content, '$.task_id') = ?", (task_id,)),
    ]


def _read(connection: sqlite3.Connection) -> JournalSnapshot:
    replicates = connection.execute("SELECT assignment, record FROM replicates").fetchall()
    updates = connection.execute("SELECT content FROM updates ORDER BY sequence").fetchall()
    commands = connection.execute("SELECT sequence FROM commands").fetchall()
    connection.execute("DELETE FROM ended WHERE at < ?", (time.time() - _ENDED_MEMORY_S,))
    ended = connection.execute("SELECT task_id FROM ended ORDER BY at").fetchall()
    counter = connection.execute("SELECT value FROM counter WHERE name = 'update'").fetchone()
    if counter is None:
        # The scheduler treats a known sequence as a repetition, and it may know sequences of a lost journal of this
        # wallet. So a new journal starts at the clock (Unix milliseconds), not at 1.
        counter = (time.time_ns() // 1_000_000,)
        connection.execute("INSERT INTO counter VALUES ('update', ?)", counter)
    return JournalSnapshot(
        replicates=tuple(
            (bytes(assignment), ReplicateRecord.from_json(record)) for assignment, record in replicates
        ),
        updates=tuple(Update.from_json(content) for (content,) in updates),
        commands=frozenset(sequence for (sequence,) in commands),
        ended=tuple(task_id for (task_id,) in ended),
        last_sequence=counter[0],
    )
