"""The worker's journal in a SQLite file. It survives kill -9 and power loss.

One thread owns the connection. Changes made while a commit runs share the next commit, so a burst costs one fsync.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from workerpool_kit.batcher import Batcher
from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.app.ports import REMEMBERED_COMMANDS, JournalSnapshot
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.updates import Update
from workerpool_worker.errors import JournalUnusable

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE replicates (task_id TEXT PRIMARY KEY, assignment BLOB NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE updates (sequence INTEGER PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE commands (sequence INTEGER PRIMARY KEY, task_id TEXT NOT NULL);
CREATE TABLE ended (task_id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
_ENDED_MEMORY_S = 14 * 86_400.0
_MAX_BATCH = 5_000

Statement = tuple[str, Sequence[object]]


class SqliteJournal:
    """An open journal. Implements the `Journal` port; call it from the event loop's thread."""

    def __init__(self, path: Path, *, on_failure: Callable[[Exception], None]) -> None:
        """Create it without opening the file. `on_failure` receives the first failed write; later writes all fail."""
        self.path = path
        self._on_failure = on_failure
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._connection: sqlite3.Connection | None = None
        self._batcher: Batcher[list[Statement], None] = Batcher(self._commit, most=_MAX_BATCH)
        self._failure: JournalUnusable | None = None

    async def open(self) -> JournalSnapshot:
        """Open or create the file and return its content. Raises `JournalUnusable` with the reason."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._open)

    async def close(self) -> None:
        """Write pending changes and close the file."""
        await self._batcher.drained()
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._connection = None
        self._thread.shutdown(wait=False)

    # --- changes -------------------------------------------------------------

    def save_assignment(self, assignment: bytes, record: ReplicateRecord) -> asyncio.Future[None]:
        """Store a new replicate."""
        return self._write(
            (
                "INSERT OR REPLACE INTO replicates VALUES (?, ?, ?)",
                (record.task_id, assignment, record.to_json()),
            )
        )

    def save(self, record: ReplicateRecord, updates: Iterable[Update] = ()) -> asyncio.Future[None]:
        """Store a record and the updates that report its change."""
        return self._write(_update_record(record), *_insert_updates(updates))

    def save_command(
        self,
        sequence: int,
        task_id: TaskId,
        record: ReplicateRecord | None = None,
        updates: Iterable[Update] = (),
    ) -> asyncio.Future[None]:
        """Store that a command was accepted, with the record and the updates that it changed."""
        return self._write(
            ("INSERT OR IGNORE INTO commands VALUES (?, ?)", (sequence, task_id)),
            ("DELETE FROM commands WHERE sequence <= ?", (sequence - REMEMBERED_COMMANDS,)),
            *([] if record is None else [_update_record(record)]),
            *_insert_updates(updates),
        )

    def delete_updates(
        self, sequences: Iterable[int], unknown_tasks: Iterable[TaskId] = ()
    ) -> asyncio.Future[None]:
        """Delete answered updates, and everything about tasks that the scheduler does not know."""
        return self._write(
            *(("DELETE FROM updates WHERE sequence = ?", (sequence,)) for sequence in sequences),
            *(statement for task_id in unknown_tasks for statement in _delete_task(task_id)),
        )

    def delete_task(self, task_id: TaskId) -> asyncio.Future[None]:
        """Delete everything about a task."""
        return self._write(*_delete_task(task_id))

    def end(self, task_id: TaskId, updates: Iterable[Update]) -> asyncio.Future[None]:
        """Delete a replicate, store its final updates, and remember that it ended."""
        return self._write(
            ("DELETE FROM replicates WHERE task_id = ?", (task_id,)),
            ("INSERT OR REPLACE INTO ended VALUES (?, ?)", (task_id, time.time())),
            *_insert_updates(updates),
        )

    def delete_end(self, task_id: TaskId) -> asyncio.Future[None]:
        """Delete the memory that a replicate of a task ended."""
        return self._write(("DELETE FROM ended WHERE task_id = ?", (task_id,)))

    # --- writing -------------------------------------------------------------

    def _write(self, *statements: Statement) -> asyncio.Future[None]:
        future = self._batcher.put(list(statements))
        # A caller may ignore the future. `on_failure` reports a failure in any case.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    async def _commit(self, changes: Sequence[list[Statement]]) -> Sequence[None]:
        """Write changes in one transaction. After a failure write nothing: later changes depend on the lost ones."""
        if self._failure is None:
            statements = [statement for change in changes for statement in change]
            loop = asyncio.get_running_loop()
            self._failure = await loop.run_in_executor(self._thread, self._execute, statements)
            if self._failure is not None:
                self._on_failure(self._failure)
        if self._failure is not None:
            raise self._failure
        return [None] * len(changes)

    def _execute(self, statements: Iterable[Statement]) -> JournalUnusable | None:
        """Execute all statements or none, and return the failure."""
        try:
            if self._connection is None:
                raise sqlite3.ProgrammingError("it is closed")
            with self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                for sql, values in statements:
                    connection.execute(sql, values)
        except Exception as cause:
            return JournalUnusable(f"the journal {self.path} cannot be written: {cause}")
        return None

    def _open(self) -> JournalSnapshot:
        try:
            self._connection = _connect(self.path)
            return _read(self._connection)
        except (sqlite3.Error, OSError, ValueError, KeyError, TypeError) as cause:
            raise JournalUnusable(f"the journal {self.path} cannot be opened: {cause}") from cause


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


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;")
        elif version != _SCHEMA_VERSION:
            raise ValueError(f"another version of the worker wrote it (schema {version})")
    except BaseException:
        connection.close()
        raise
    return connection


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
