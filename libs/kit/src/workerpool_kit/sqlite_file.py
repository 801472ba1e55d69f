"""A journal in a SQLite file that survives kill -9 and power loss, and waits while its volume is full.

One thread owns the connection. Work submitted while a commit runs, or at the same moment, shares the next commit,
so a burst costs one fsync.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from workerpool_kit.batcher import Batcher
from workerpool_kit.errors import WorkerpoolError

T = TypeVar("T")
Statement = tuple[str, Sequence[object]]
Work = Callable[[sqlite3.Connection], Any]
"""Reads or writes in the thread of the file. It may run again after a rollback, so it must have no other effect."""

_MAX_BATCH = 5_000
_LATER_S = 1.0
_FULL_PAUSE_S = 1.0
_LOCK_LIMIT_S = 5.0
_HOLDER_LIMIT_S = 1.0
"""Seconds to wait for another process that is just ending to release the file."""
_NO_UPGRADES: Mapping[int, Work] = {}
_NO_ROOM = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_FSYNC})


class SqliteFile:
    """An SQLite database of one schema; call it from the event loop's thread."""

    def __init__(
        self,
        path: Path,
        *,
        schema: str,
        version: int,
        unusable: type[WorkerpoolError],
        on_failure: Callable[[Exception], None],
        on_wait: Callable[[str | None], None] = lambda reason: None,
        only_holder: str = "",
        upgrades: Mapping[int, Work] = _NO_UPGRADES,
    ) -> None:
        """Create it without opening the file.

        Args:
            path: the file.
            schema: SQL that creates the tables of a new file.
            version: number of the schema; a file of a version without a way to this one is refused.
            unusable: the error of a file that cannot be opened or written.
            on_failure: receives the first failed write; later work all fails.
            on_wait: receives the reason while writes wait for space on a full volume, and None when they continue.
            only_holder: why only one process at a time may open the file; empty allows several.
            upgrades: by earlier version, the work that upgrades it to the next one, in one transaction.
        """
        self.path = path
        self._schema, self._version, self._only_holder = schema, version, only_holder
        self._upgrades = upgrades
        self._unusable = unusable
        self._on_failure = on_failure
        self._on_wait = on_wait
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._connection: sqlite3.Connection | None = None
        self._batcher: Batcher[Work, Any] = Batcher(self._commit, max_items=_MAX_BATCH)
        self._later: list[tuple[Work, asyncio.Future[Any]]] = []
        self._later_timer: asyncio.TimerHandle | None = None
        self._failure: WorkerpoolError | None = None
        self._closing = asyncio.Event()

    async def open(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Open or create the file and return what `read` finds. Raises `unusable` with the reason.

        `read` may raise ValueError for content that it refuses.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._open, read)

    async def close(self) -> None:
        """Write pending changes and close the file. On a full volume they fail without waiting."""
        self._closing.set()
        self._run_later()
        await self._batcher.drained()
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._connection = None
        self._thread.shutdown(wait=False)

    def write(self, *statements: Statement) -> asyncio.Future[Any]:
        """Execute statements in one commit. The future resolves once they are durable."""
        return self.run(partial(_do_statements, statements))

    def write_later(self, *statements: Statement, within_s: float = _LATER_S) -> asyncio.Future[Any]:
        """Execute statements like `write`, but with the next commit or after `within_s` seconds."""
        return self.run_later(partial(_do_statements, statements), within_s=within_s)

    def run(self, work: Work) -> asyncio.Future[Any]:
        """Run work after all earlier work, and return the future of its result, which is durable then."""
        self._run_later()
        return self._put(work)

    def run_later(self, work: Work, *, within_s: float = _LATER_S) -> asyncio.Future[Any]:
        """Run work like `run`, but with the next commit or after `within_s` seconds, to save a commit."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._later.append((work, answer))
        due = loop.time() + within_s
        if self._later_timer is None or due < self._later_timer.when():
            if self._later_timer is not None:
                self._later_timer.cancel()
            self._later_timer = loop.call_at(due, self._run_later)
        return answer

    def _run_later(self) -> None:
        if self._later_timer is not None:
            self._later_timer.cancel()
            self._later_timer = None
        works, self._later = self._later, []
        for work, answer in works:
            self._put(work, answer)

    def _put(self, work: Work, answer: asyncio.Future[Any] | None = None) -> asyncio.Future[Any]:
        future = self._batcher.put(work, answer)
        # A caller may ignore the future. `on_failure` reports a failure in any case.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    async def _commit(self, works: Sequence[Work]) -> Sequence[Any]:
        """Execute works in one transaction. After a failure do nothing: later works depend on the lost ones."""
        answers: Sequence[Any] = ()
        if self._failure is None:
            outcome = await self._outcome(works)
            if isinstance(outcome, WorkerpoolError):
                self._failure = outcome
                self._on_failure(outcome)
            else:
                answers = outcome
        if self._failure is not None:
            raise self._failure
        return answers

    async def _outcome(self, works: Sequence[Work]) -> list[Any] | WorkerpoolError:
        """Execute all works and return their results or the failure; wait while the volume is full."""
        loop, waits = asyncio.get_running_loop(), False
        while True:
            last = self._closing.is_set()
            outcome = await loop.run_in_executor(self._thread, self._execute, works)
            if last or not isinstance(outcome, WorkerpoolError) or not _is_full(outcome):
                break
            waits = True
            self._on_wait(outcome.message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FULL_PAUSE_S):
                    await self._closing.wait()
        if waits:
            self._on_wait(None)
        return outcome

    def _execute(self, works: Iterable[Work]) -> list[Any] | WorkerpoolError:
        """Execute all works or none, and return their results or the failure."""
        try:
            if self._connection is None:
                raise sqlite3.ProgrammingError("it is closed")
            with self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                return [work(connection) for work in works]
        except Exception as cause:
            failure = self._unusable(f"the journal {self.path} cannot be written: {cause}")
            failure.__cause__ = cause
            return failure

    def _open(self, read: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._connection = self._connect()
            return read(self._connection)
        except (sqlite3.Error, OSError, ValueError, KeyError, TypeError) as cause:
            raise self._unusable(f"the journal {self.path} cannot be opened: {cause}") from cause

    def _connect(self) -> sqlite3.Connection:
        try:
            return connect(
                self.path,
                self._schema,
                self._version,
                exclusive=bool(self._only_holder),
                upgrades=self._upgrades,
            )
        except sqlite3.OperationalError as error:
            if self._only_holder and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise ValueError(f"another process holds it; {self._only_holder}") from error
            raise


def _do_statements(statements: Sequence[Statement], connection: sqlite3.Connection) -> None:
    for sql, values in statements:
        connection.execute(sql, values)


def connect(
    path: Path,
    schema: str,
    version: int,
    *,
    exclusive: bool = False,
    upgrades: Mapping[int, Work] = _NO_UPGRADES,
) -> sqlite3.Connection:
    """Open or create a file of a schema, upgrading one of an earlier version.

    Raises ValueError for a file of a version without a way to this one.

    An `exclusive` connection locks the file until it closes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    limit_s = _HOLDER_LIMIT_S if exclusive else _LOCK_LIMIT_S
    connection = sqlite3.connect(path, isolation_level=None, timeout=limit_s)
    try:
        if exclusive:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found == 0:
            connection.executescript(f"BEGIN; {schema} PRAGMA user_version = {version}; COMMIT;")
        elif found != version:
            if any(step not in upgrades for step in range(found, version)) or found > version:
                raise ValueError(f"another version of this program wrote it (schema {found})")
            for step in range(found, version):
                _upgrade(connection, step, upgrades[step])
        if exclusive:
            # A write takes the lock, which the connection keeps.
            connection.executescript("BEGIN EXCLUSIVE; COMMIT;")
    except BaseException:
        # Whatever the error was, release the lock for the next attempt.
        connection.close()
        raise
    return connection


def _upgrade(connection: sqlite3.Connection, version: int, work: Work) -> None:
    """Upgrade a file by one version, or leave it unchanged."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        # Another process may have upgraded the file meanwhile.
        if found == version:
            work(connection)
            connection.execute(f"PRAGMA user_version = {version + 1}")


def execute_script(connection: sqlite3.Connection, script: str) -> None:
    """Execute the statements of a script within the open transaction, which `executescript` would commit."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if statement.strip(" ;\n") and sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def _is_full(failure: WorkerpoolError) -> bool:
    """Return whether a write failed because the volume, or the user's quota on it, is full."""
    cause = failure.__cause__
    # A write to the write-ahead log that finds no room is an I/O error to SQLite.
    return isinstance(cause, sqlite3.OperationalError) and (
        cause.sqlite_errorcode == sqlite3.SQLITE_FULL or cause.sqlite_errorcode in _NO_ROOM
    )
