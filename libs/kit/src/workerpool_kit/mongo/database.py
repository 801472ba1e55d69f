"""The database of one service, used from a bounded thread pool.

mongoengine is synchronous, so every call goes through `Database.run` or one of its variants.
"""

import asyncio
import contextvars
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

import mongoengine
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database as PyMongoDatabase
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.connection import hosts_of, new_client, wait_for_primary
from workerpool_kit.mongo.migrations import Migration, migrate
from workerpool_kit.mongo.outages import (
    UNAUTHORIZED,
    AccessRefused,
    outages_as_autoreconnect,
    retry_outages,
)
from workerpool_kit.process import StartupError
from workerpool_kit.settings.base import MongoSettings

P = ParamSpec("P")
T = TypeVar("T")
log = get_logger()

_PAUSE_S = 1.0
_FREE_FRESH_S = 2.0


class Database:
    """One service's database. Build it with `connect`."""

    def __init__(
        self,
        client: "MongoClient[Any]",
        settings: MongoSettings,
        alias: str,
        threads: int,
        models: Sequence[type[Any]],
    ) -> None:
        name = settings.mongo_database
        self.client = client
        self._settings = settings
        self._async_client: AsyncMongoClient[Any] | None = None
        self._alias = alias
        self._models = models
        self._free: tuple[float, int | None] = (float("-inf"), None)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mongo")
        # mongoengine finds connections by alias in a global table; it gets the client that exists already.
        mongoengine.connect(
            name, alias=alias, uuidRepresentation="standard", mongo_client_class=lambda **_ignored: client
        )
        self.db: PyMongoDatabase[Any] = client[name]

    @classmethod
    async def connect(
        cls,
        settings: MongoSettings,
        *,
        models: Sequence[type[Any]] = (),
        migrations: Sequence[Migration] = (),
        threads: int = 8,
        limit_s: float = 20,
        alias: str = mongoengine.DEFAULT_CONNECTION_NAME,
        app_name: str | None = None,
        waits: Callable[[StartupError], None] | None = None,
    ) -> "Database":
        """Connect, waiting up to `limit_s` seconds for a primary; apply `migrations`, create the indexes of `models`.

        `threads` bounds the calls that run at once. `alias` is the models' `db_alias`.
        `app_name` names this client in the server's log and to `connected_as`. With `waits` the wait has no limit:
        it receives the error after each failed attempt, and wrong credentials are retried too.
        Raises StartupError naming the host when it cannot be reached, is no replica set, or refuses the credentials;
        NewerSchema when a newer version has migrated the database.
        """
        client = new_client(MongoClient[Any], settings, max_pool_size=threads + 4, appname=app_name)
        where = hosts_of(client, settings)
        try:
            await wait_for_primary(client, where, limit_s, waits)
            database = cls(client, settings, alias, threads, models)
        except BaseException:
            # A cancelled start leaves no connection open.
            client.close()
            raise
        try:
            await database._prepare(migrations, where, waits)
        except BaseException:
            # The same, with the threads of the calls.
            await database.close()
            raise
        log.info("mongo.connected", hosts=where, database=settings.mongo_database)
        return database

    async def _prepare(
        self, migrations: Sequence[Migration], where: str, waits: Callable[[StartupError], None] | None
    ) -> None:
        while True:
            try:
                # An index of today may not fit the documents of an earlier version.
                await self.run(migrate, self.db, migrations)
                for model in self._models:
                    await self.run(model.ensure_indexes)
                return
            except PyMongoError as error:
                problem = StartupError(
                    f"cannot prepare collections and indexes in MongoDB at {where}: {type(error).__name__}"
                )
                if waits is None:
                    raise problem from error
                waits(problem)
            await asyncio.sleep(_PAUSE_S)

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a synchronous database call in the thread pool and return its result.

        Cancelling the caller does not undo a call that has begun: shield a write that must be awaited to its end.
        Raises AutoReconnect while there is no primary that a majority follows, or MongoDB refuses the credentials (see
        `outages_as_autoreconnect`).
        """
        call = partial(contextvars.copy_context().run, outages_as_autoreconnect()(fn), *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def free_bytes(self) -> int | None:
        """Return the free bytes of the database's disk, None when the server does not report them.

        The answer is up to 2 s old. Raises DatabaseUnavailable.
        """
        now = time.monotonic()
        if now >= self._free[0] + _FREE_FRESH_S:
            stats = await self.run_once(self.db.command, "dbStats")
            total, used = stats.get("fsTotalSize"), stats.get("fsUsedSize")
            self._free = (now, int(total - used) if total else None)
        return self._free[1]

    async def connected_as(self, app_name: str) -> list[str]:
        """Return the addresses of clients that the server knows under `app_name`.

        Without the privilege `inprog` the server only names clients of the same user.
        """
        return await self.run(_clients_named, self.client, app_name)

    async def run_once(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `run`, for a caller that can retry. Raises DatabaseUnavailable while no majority answers."""
        try:
            return await self.run(fn, *args, **kwargs)
        except ConnectionFailure as outage:
            log.warning("mongo.call_failed", error=type(outage).__name__)
            raise DatabaseUnavailable(_problem(outage)) from outage

    async def run_with_retry(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `run`, repeated until the database answers; see `retry_outages`. Only for idempotent calls."""
        return await retry_outages(lambda: self.run(fn, *args, **kwargs))

    def event_loop_database(self) -> AsyncDatabase[Any]:
        """Return the same database through a client of the event loop, for writes whose latency counts.

        It saves two thread switches per call and holds up to two connections. The driver's retries are off, since for
        them the server writes another record with each write: the caller retries on AutoReconnect.
        """
        if self._async_client is None:
            self._async_client = new_client(
                AsyncMongoClient[Any], self._settings, max_pool_size=2, retryWrites=False
            )
        return self._async_client[self._settings.mongo_database]

    async def close(self) -> None:
        """Wait for running calls, then disconnect."""
        await asyncio.to_thread(self._pool.shutdown)
        mongoengine.disconnect(self._alias)
        for model in self._models:
            # mongoengine finds them by the bare names of their classes, which two services may share in tests.
            model._disconnect()
        self.client.close()
        if self._async_client is not None:
            await self._async_client.close()


def _problem(outage: ConnectionFailure) -> str:
    if isinstance(outage, AccessRefused):
        return (
            "the database refuses the credentials of this service; retry once its operator has corrected them"
        )
    return "the database does not answer; retry in a moment"


def _clients_named(client: "MongoClient[Any]", app_name: str) -> list[str]:
    # The server refuses this aggregation with the client's own read concern.
    admin = client.get_database("admin", read_concern=ReadConcern("local"))
    for all_users in (True, False):
        operations = {"$currentOp": {"allUsers": all_users, "idleConnections": True}}
        try:
            found = list(admin.aggregate([operations, {"$match": {"appName": app_name}}]))
        except OperationFailure as error:
            if error.code not in UNAUTHORIZED:
                raise
            continue
        return sorted({str(item.get("client", "unknown")) for item in found})
    return []
