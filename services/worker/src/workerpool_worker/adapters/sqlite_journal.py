"""The local journal: a small SQLite file that survives kill -9 and power cuts.

One thread writes. Whatever has gathered while the last commit was on its way to the disk goes into the next one, so a
burst of changes costs one fsync, and the order of changes is the order of calls. A change is safe when its future
resolves; nothing leaves the worker (an update, an acknowledgement, a transaction) before that.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from workerpool_poco.protocol.ids import TaskId

from workerpool_worker.domain.record import Record
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
KEPT_COMMANDS = 10_000
"""Commands that are remembered, so that a copy of one does nothing."""
_ENDED_KEPT_S = 14 * 86_400.0

Statement = tuple[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a journal held when it was opened."""

    replicates: tuple[tuple[bytes, Record], ...]
    """Assignment as it came on the wire, and record, of each live replicate."""
    updates: tuple[Update, ...]
    """Updates without an answer yet, in order."""
    commands: frozenset[int]
    """Sequences of commands that were taken."""
    ended: tuple[TaskId, ...]
    """Tasks whose replicate has ended here, the oldest first."""
    last_sequence: int
    """Sequence of the newest update ever made."""


class Journal:
    """The open journal. All methods are for the event loop's thread and return at once; await the future for safety."""

    def __init__(self, path: Path, *, on_failure: Callable[[Exception], None]) -> None:
        """Prepare; ``on_failure`` hears of the first write that failed, after which every write fails."""
        self.path = path
        self._on_failure = on_failure
        self._queue: SimpleQueue[tuple[list[Statement], asyncio.Future[None]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    async def open(self) -> Kept:
        """Open or create the file and read it; raises :class:`JournalUnusable` with the reason."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[Kept] = loop.create_future()
        self._thread = threading.Thread(target=self._work, args=(loop, opened), name="journal", daemon=True)
        self._thread.start()
        return await opened

    async def close(self) -> None:
        """Write what is left and close the file."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    # --- changes -------------------------------------------------------------

    def take_assignment(self, assignment: bytes, record: Record) -> asyncio.Future[None]:
        """Keep a new replicate."""
        return self._write(
            (
                "INSERT OR REPLACE INTO replicates VALUES (?, ?, ?)",
                (record.task_id, assignment, record.to_json()),
            )
        )

    def save(self, record: Record, updates: Iterable[Update] = ()) -> asyncio.Future[None]:
        """Keep a replicate's new state together with the updates that tell of it."""
        return self._write(
            ("UPDATE replicates SET record = ? WHERE task_id = ?", (record.to_json(), record.task_id)),
            *_inserts(updates),
        )

    def take_command(
        self, sequence: int, task_id: TaskId, record: Record | None = None, updates: Iterable[Update] = ()
    ) -> asyncio.Future[None]:
        """Keep that a command was taken, so that a copy of it does nothing, and what it changed."""
        changed: list[Statement] = (
            []
            if record is None
            else [("UPDATE replicates SET record = ? WHERE task_id = ?", (record.to_json(), task_id))]
        )
        return self._write(
            ("INSERT OR IGNORE INTO commands VALUES (?, ?)", (sequence, task_id)),
            ("DELETE FROM commands WHERE sequence <= ?", (sequence - KEPT_COMMANDS,)),
            *changed,
            *_inserts(updates),
        )

    def forget_updates(
        self, sequences: Iterable[int], unknown: Iterable[TaskId] = ()
    ) -> asyncio.Future[None]:
        """Drop updates that the scheduler has answered, and all that is kept of tasks that are unknown to it."""
        return self._write(
            *(("DELETE FROM updates WHERE sequence = ?", (sequence,)) for sequence in sequences),
            *(statement for task_id in unknown for statement in _forgetting(task_id)),
        )

    def forget(self, task_id: TaskId) -> asyncio.Future[None]:
        """Drop all that is kept of a task, as if the worker had never heard of it."""
        return self._write(*_forgetting(task_id))

    def end(self, task_id: TaskId, updates: Iterable[Update]) -> asyncio.Future[None]:
        """Drop a replicate, keep its last words, and remember that it ended, so that it is not begun again."""
        return self._write(
            ("DELETE FROM replicates WHERE task_id = ?", (task_id,)),
            ("INSERT OR REPLACE INTO ended VALUES (?, ?)", (task_id, time.time())),
            *_inserts(updates),
        )

    def forget_end(self, task_id: TaskId) -> asyncio.Future[None]:
        """Do not remember any longer that a replicate of a task ended here."""
        return self._write(("DELETE FROM ended WHERE task_id = ?", (task_id,)))

    # --- the writing thread --------------------------------------------------

    def _write(self, *statements: Statement) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        # Whoever does not await the future still learns of a failure: on_failure stops the worker.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._failure is not None:
            future.set_exception(self._failure)
        else:
            self._queue.put((list(statements), future))
        return future

    def _work(self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[Kept]) -> None:
        try:
            connection = _connect(self.path)
            kept = _read(connection)
        except (sqlite3.Error, OSError, ValueError, KeyError, TypeError) as cause:
            problem = JournalUnusable(f"the journal {self.path} cannot be opened: {cause}")
            loop.call_soon_threadsafe(opened.set_exception, problem)
            return
        loop.call_soon_threadsafe(opened.set_result, kept)
        try:
            self._drain(connection, loop)
        finally:
            connection.close()

    def _drain(self, connection: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        more, failure = True, None
        while more:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            more = None not in batch
            entries = [entry for entry in batch if entry is not None]
            if not entries:
                continue
            # After a failure nothing more is written: what comes later may rest on what is lost.
            failure = failure or self._commit(
                connection, [statement for each, _ in entries for statement in each]
            )
            loop.call_soon_threadsafe(self._resolve, [future for _, future in entries], failure)

    def _commit(
        self, connection: sqlite3.Connection, statements: Iterable[Statement]
    ) -> JournalUnusable | None:
        """Write all of it or nothing, and return why not."""
        try:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                for sql, values in statements:
                    connection.execute(sql, values)
        except Exception as cause:
            # Of whatever kind: a thread that died in silence would leave everybody waiting for ever.
            return JournalUnusable(f"the journal {self.path} cannot be written: {cause}")
        return None

    def _resolve(self, futures: list[asyncio.Future[None]], failure: Exception | None) -> None:
        if failure is not None and self._failure is None:
            self._failure = failure
            self._on_failure(failure)
        for future in futures:
            if future.done():
                continue
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(None)


def _inserts(updates: Iterable[Update]) -> list[Statement]:
    statements: list[Statement] = []
    for update in updates:
        statements.append(("INSERT INTO updates VALUES (?, ?)", (update.sequence, update.to_json())))
        statements.append(("INSERT OR REPLACE INTO counter VALUES ('update', ?)", (update.sequence,)))
    return statements


def _forgetting(task_id: TaskId) -> list[Statement]:
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
            raise ValueError(f"it was written by another version of the worker (schema {version})")
    except BaseException:
        connection.close()
        raise
    return connection


def _read(connection: sqlite3.Connection) -> Kept:
    replicates = connection.execute("SELECT assignment, record FROM replicates").fetchall()
    updates = connection.execute("SELECT content FROM updates ORDER BY sequence").fetchall()
    commands = connection.execute("SELECT sequence FROM commands").fetchall()
    connection.execute("DELETE FROM ended WHERE at < ?", (time.time() - _ENDED_KEPT_S,))
    ended = connection.execute("SELECT task_id FROM ended ORDER BY at").fetchall()
    counter = connection.execute("SELECT value FROM counter WHERE name = 'update'").fetchone()
    if counter is None:
        # A new journal. The scheduler takes a sequence it has seen for a repetition, and it may have seen some from
        # this wallet before the journal was lost: so count on from the clock instead of from 1.
        counter = (time.time_ns() // 1_000_000,)
        connection.execute("INSERT INTO counter VALUES ('update', ?)", counter)
    return Kept(
        replicates=tuple((bytes(assignment), Record.from_json(record)) for assignment, record in replicates),
        updates=tuple(Update.from_json(content) for (content,) in updates),
        commands=frozenset(sequence for (sequence,) in commands),
        ended=tuple(task_id for (task_id,) in ended),
        last_sequence=counter[0],
    )
