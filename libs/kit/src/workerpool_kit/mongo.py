"""The connection to MongoDB: durable by default, checked at the start, used from a bounded thread pool.

mongoengine is synchronous, so every call goes through `Database.run`. Writes are acknowledged by a majority and its
journals, reads see what a majority has. Credentials of the connection string never reach an error or a log.
"""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

import gridfs
import mongoengine
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database as PyMongoDatabase
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from pymongo.read_concern import ReadConcern

from workerpool_kit.errors import DatabaseAway
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.retry import Backoff, retry
from workerpool_kit.settings.base import MongoSettings

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")
log = get_logger()

_ONE_ATTEMPT_MS = 2_000
_PATIENCE_S = 60.0
_BACKOFF = Backoff(first_s=0.1, longest_s=0.3)
_UNAUTHORIZED = (13, 18)
_NO_PRIMARY_ANY_MORE = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436})
"""Codes of MongoDB: shutdown in progress, primary stepped down, not writable primary, interrupted by either."""


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
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mongo")
        # mongoengine finds connections by alias in a global table; it is handed the client that exists already.
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
        threads: int = 8,
        patience_s: float = 20,
        alias: str = mongoengine.DEFAULT_CONNECTION_NAME,
        app_name: str | None = None,
    ) -> "Database":
        """Connect, waiting up to `patience_s` seconds for a primary, and create the indexes of `models`.

        `threads` bounds the calls that run at once. `alias` is the models' ``db_alias``.
        `app_name` names this client in the server's log and to `connected_as`.
        Raises StartupError naming the host when it cannot be reached, is no replica set, or refuses the credentials.
        """
        client = _client(MongoClient[Any], settings, max_pool_size=threads + 4, appname=app_name)
        where = _hosts(client, settings)
        try:
            await _wait_for_primary(client, where, patience_s)
            database = cls(client, settings, alias, threads, models)
        except BaseException:
            client.close()
            raise
        try:
            for model in models:
                await database.run(model.ensure_indexes)
        except PyMongoError as error:
            await database.close()
            raise StartupError(
                f"cannot create the indexes in MongoDB at {where}: {type(error).__name__}"
            ) from error
        log.info("mongo.connected", hosts=where, database=settings.mongo_database)
        return database

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a synchronous database call in the thread pool and return its result.

        Cancelling the caller does not undo a call that has begun: shield a write that must be awaited to its end.
        Raises AutoReconnect while there is no primary that a majority follows (see `outage_as_such`).
        """
        call = partial(contextvars.copy_context().run, outage_as_such()(fn), *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def connected_as(self, app_name: str) -> list[str]:
        """Return the addresses of clients that the server knows under `app_name`.

        Without the privilege `inprog` the server only names clients of the same user.
        """
        return await self.run(_clients_named, self.client, app_name)

    async def ask(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `run`, on behalf of somebody who can ask again. Raises DatabaseAway while no majority answers."""
        try:
            return await self.run(fn, *args, **kwargs)
        except ConnectionFailure as outage:
            log.warning("mongo.unavailable", error=type(outage).__name__)
            raise DatabaseAway("the database does not answer at the moment; ask again soon") from outage

    async def insist(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `run`, but `repeated` while the database is away."""
        return await repeated(lambda: self.run(fn, *args, **kwargs))

    def asynchronous(self) -> AsyncDatabase[Any]:
        """Return the same database through a client of the event loop: for the few writes whose latency counts.

        It saves the way to a thread and back, and holds up to two connections. The driver does not repeat a write
        that failed, since for that the server writes a record more each time: the caller does, on AutoReconnect.
        """
        if self._async_client is None:
            self._async_client = _client(
                AsyncMongoClient[Any], self._settings, max_pool_size=2, retryWrites=False
            )
        return self._async_client[self._settings.mongo_database]

    def gridfs(self, bucket: str) -> gridfs.GridFSBucket:
        """Return the GridFS bucket of that name; its methods are synchronous too."""
        return gridfs.GridFSBucket(self.db, bucket)

    async def close(self) -> None:
        """Wait for running calls, then disconnect."""
        await asyncio.to_thread(self._pool.shutdown)
        mongoengine.disconnect(self._alias)
        for model in self._models:
            # mongoengine finds them by the bare names of their classes, which two services may share (in tests).
            model._disconnect()
        self.client.close()
        if self._async_client is not None:
            await self._async_client.close()


def _clients_named(client: "MongoClient[Any]", app_name: str) -> list[str]:
    # The server refuses this aggregation with the client's own read concern.
    admin = client.get_database("admin", read_concern=ReadConcern("local"))
    for all_users in (True, False):
        operations = {"$currentOp": {"allUsers": all_users, "idleConnections": True}}
        try:
            found = list(admin.aggregate([operations, {"$match": {"appName": app_name}}]))
        except OperationFailure as error:
            if error.code not in _UNAUTHORIZED:
                raise
            continue
        return sorted({str(item.get("client", "unknown")) for item in found})
    return []


@contextmanager
def outage_as_such() -> Iterator[None]:
    """Raise AutoReconnect for whatever a server answers that stops being the primary, or finds no majority.

    The driver does so only for the plainest form of it. A write that was interrupted may have happened or not.
    """
    try:
        yield
    except (OperationFailure, mongoengine.OperationError) as error:
        # mongoengine puts its own error around the driver's.
        refusal = error if isinstance(error, OperationFailure) else error.__context__
        if isinstance(refusal, OperationFailure) and _is_outage(refusal):
            raise AutoReconnect(f"the server is no primary any more: {refusal}") from error
        raise


def _is_outage(error: OperationFailure) -> bool:
    if not isinstance(error, BulkWriteError):
        return isinstance(error, WriteConcernError) or error.code in _NO_PRIMARY_ANY_MORE
    details = error.details or {}
    refused = {item["code"] for item in details.get("writeErrors", ())}
    return bool(details.get("writeConcernErrors")) or not refused.isdisjoint(_NO_PRIMARY_ANY_MORE)


async def repeated(call: Callable[[], Awaitable[T]]) -> T:
    """Return what a call returns, repeated while the database is away (an election, a restart), for up to a minute.

    Only for calls that may be repeated although it is not known whether the first had its effect.
    Raises AutoReconnect.
    """
    return await retry(
        call, what="call the database", on=AutoReconnect, backoff=_BACKOFF, timeout_s=_PATIENCE_S
    )


def _client(kind: Callable[..., C], settings: MongoSettings, max_pool_size: int, **options: Any) -> C:
    host = settings.mongo_uri.get_secret_value() if settings.mongo_uri else settings.mongo_host
    try:
        return kind(
            host,
            settings.mongo_port,
            serverSelectionTimeoutMS=_ONE_ATTEMPT_MS,
            connectTimeoutMS=_ONE_ATTEMPT_MS,
            maxPoolSize=max_pool_size,
            uuidRepresentation="standard",
            tz_aware=True,
            w="majority",
            journal=True,
            readConcernLevel="majority",
            **options,
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        # pymongo's own text may repeat parts of the URI.
        raise StartupError(
            f"MONGO_URI is not a usable MongoDB connection string ({type(error).__name__})"
        ) from None


def _hosts(client: "MongoClient[Any]", settings: MongoSettings) -> str:
    seeds = sorted(f"{host}:{port}" for host, port in client.topology_description.server_descriptions())
    return ",".join(seeds) or f"{settings.mongo_host}:{settings.mongo_port}"


async def _wait_for_primary(client: "MongoClient[Any]", where: str, patience_s: float) -> None:
    # One attempt at a time goes to a thread, so that a signal ends the wait within one attempt.
    give_up_at = time.monotonic() + patience_s
    while not await asyncio.to_thread(_has_primary, client, where):
        if time.monotonic() > give_up_at:
            raise StartupError(_why_not(client, where, patience_s))
        await asyncio.sleep(0.1)


def _has_primary(client: "MongoClient[Any]", where: str) -> bool:
    """Tell whether writes are possible now; raises StartupError for what waiting cannot change."""
    try:
        hello = client.admin.command("hello")
        if "setName" not in hello:
            raise StartupError(
                f"MongoDB at {where} is not a replica set; start mongod with --replSet and run rs.initiate()"
            )
        if not hello.get("isWritablePrimary"):
            return False
        # hello needs no login; this does.
        client.admin.command("listDatabases", nameOnly=True, authorizedDatabases=True)
    except OperationFailure as error:
        if error.code in _UNAUTHORIZED:
            raise StartupError(f"MongoDB at {where} refuses the credentials of MONGO_URI") from None
        return False
    except PyMongoError:
        return False
    return True


def _why_not(client: "MongoClient[Any]", where: str, patience_s: float) -> str:
    kinds = {server.server_type_name for server in client.topology_description.server_descriptions().values()}
    if "RSGhost" in kinds:
        return (
            f"MongoDB at {where} is a replica set member that nobody has initiated; run rs.initiate() on it"
        )
    if kinds & {"RSPrimary", "RSSecondary", "RSOther"}:
        return f"MongoDB at {where} has no primary after {patience_s:g} s; check rs.status()"
    return (
        f"cannot reach MongoDB at {where} within {patience_s:g} s; start it or correct MONGO_URI / MONGO_HOST"
    )
