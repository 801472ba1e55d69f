"""Clients of MongoDB: durable by default, and waited for at the start.

Writes are acknowledged by a majority and its journals, reads see what a majority has. Credentials of the connection
string never reach an error or a log.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError

from workerpool_kit.mongo.outages import UNAUTHORIZED
from workerpool_kit.process import StartupError
from workerpool_kit.settings.base import MongoSettings
from workerpool_kit.targets import bracketed, host_and_port

C = TypeVar("C")

_ONE_ATTEMPT_MS = 2_000
_PAUSE_S = 0.1
_TOLD_PAUSE_S = 0.3


def new_client(kind: Callable[..., C], settings: MongoSettings, max_pool_size: int, **options: Any) -> C:
    """Return a client of `kind` with the durability of every service. Raises StartupError for a wrong MONGO_URI."""
    # PyMongo takes an IPv6 address in brackets only.
    host = settings.mongo_uri.get_secret_value() if settings.mongo_uri else bracketed(settings.mongo_host)
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


def hosts_of(client: "MongoClient[Any]", settings: MongoSettings) -> str:
    """Return the host:port list of a client, without credentials."""
    seeds = sorted(
        host_and_port(host, port or 0) for host, port in client.topology_description.server_descriptions()
    )
    return ",".join(seeds) or host_and_port(settings.mongo_host, settings.mongo_port)


def address_of(settings: MongoSettings) -> str:
    """Return the host:port list of the settings, without credentials."""
    if settings.mongo_uri is None:
        return host_and_port(settings.mongo_host, settings.mongo_port)
    after_scheme = settings.mongo_uri.get_secret_value().partition("://")[2]
    return after_scheme.rpartition("@")[2].partition("/")[0].partition("?")[0]


class CredentialsRefused(StartupError):
    """MongoDB refuses the user or the password of MONGO_URI."""


async def wait_for_primary(
    client: "MongoClient[Any]",
    where: str,
    limit_s: float,
    waits: Callable[[StartupError], None] | None = None,
) -> None:
    """Wait until writes are possible. Raises StartupError after `limit_s` seconds or for a lasting cause.

    With `waits` the wait has no limit: it receives the error after each failed attempt, also for a lasting cause,
    which an operator can fix in MongoDB.
    """
    if waits is not None:
        await _wait_and_tell(client, where, waits)
        return
    # Each attempt runs in a thread of its own, so that a signal ends the wait within one attempt.
    give_up_at = time.monotonic() + limit_s
    while not await asyncio.to_thread(_has_primary, client, where):
        if time.monotonic() > give_up_at:
            raise StartupError(_why_not(client, where, limit_s))
        await asyncio.sleep(_PAUSE_S)


async def _wait_and_tell(
    client: "MongoClient[Any]", where: str, waits: Callable[[StartupError], None]
) -> None:
    while True:
        try:
            if await asyncio.to_thread(_has_primary, client, where):
                return
            problem = StartupError(_why_not(client, where, None))
        except StartupError as lasting:
            problem = lasting
        waits(problem)
        await asyncio.sleep(_TOLD_PAUSE_S)


def _has_primary(client: "MongoClient[Any]", where: str) -> bool:
    """Return whether writes are possible now. Raises StartupError for what waiting cannot change."""
    try:
        hello = client.admin.command("hello")
        if "setName" not in hello:
            raise StartupError(
                f"MongoDB at {where} is not a replica set; start mongod with --replSet and run rs.initiate()"
            )
        if not hello.get("isWritablePrimary"):
            return False
        # hello works without a login, this does not.
        client.admin.command("listDatabases", nameOnly=True, authorizedDatabases=True)
    except OperationFailure as error:
        if error.code in UNAUTHORIZED:
            raise CredentialsRefused(f"MongoDB at {where} refuses the credentials of MONGO_URI") from None
        return False
    except PyMongoError:
        return False
    return True


def _why_not(client: "MongoClient[Any]", where: str, limit_s: float | None) -> str:
    within, after = ("", "") if limit_s is None else (f" within {limit_s:g} s", f" after {limit_s:g} s")
    kinds = {server.server_type_name for server in client.topology_description.server_descriptions().values()}
    if "RSGhost" in kinds:
        return f"MongoDB at {where} is an uninitiated replica set member; run rs.initiate() on it"
    if kinds & {"RSPrimary", "RSSecondary", "RSOther"}:
        return f"MongoDB at {where} has no primary{after}; check rs.status()"
    return f"cannot reach MongoDB at {where}{within}; start it or correct MONGO_URI / MONGO_HOST"
