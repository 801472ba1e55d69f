"""Prepare a new MongoDB server for a pool: its replica set of one, its administrator, a user for each service.

`python -m workerpool_kit.mongo.prepare --help`. It runs beside the server, since only a client of the same host may
make the first user. A prepared server is left as it is, except that services get the passwords of today's files.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from workerpool_kit.mongo.outages import UNAUTHORIZED

Client = MongoClient[Any]

_ONE_ATTEMPT_MS = 3_000
_PAUSE_S = 0.1
_ALREADY_INITIATED, _USER_EXISTS = 23, 51003
EXIT_PREPARED, EXIT_REFUSED = 0, 1


class NotPrepared(Exception):
    """The server cannot be prepared. The message names the cause and what to do."""


@dataclass(frozen=True)
class Account:
    """The user of one service, which may read and write its own database only."""

    name: str
    password: str
    database: str

    @classmethod
    def of(cls, uri: str, database: str) -> "Account":
        """Return the user that a connection string names. Raises NotPrepared."""
        parts = urlsplit(uri)
        if not parts.username or not parts.password:
            raise NotPrepared(
                f"the connection string for {database} names no user and password; rewrite it with make pool-secrets"
            )
        return cls(unquote(parts.username), unquote(parts.password), database)


@dataclass(frozen=True)
class Server:
    """A MongoDB server that listens on this host, and how its clients know it."""

    address: str
    """`host:port` on the loopback interface."""
    member: str
    """`host:port` under which the services reach it."""
    replica_set: str


def prepare(server: Server, administrator: Account, accounts: Iterable[Account], *, limit_s: float) -> None:
    """Prepare the server. Blocks for `limit_s` seconds at most. Raises NotPrepared."""
    give_up_at, wanted = time.monotonic() + limit_s, list(accounts)
    with _client(server) as anonymous:
        _until(
            lambda: _initiated(anonymous, server), give_up_at, f"MongoDB at {server.address} does not answer"
        )
        _until(lambda: _writable(anonymous), give_up_at, f"MongoDB at {server.address} has no primary")
        _retried(lambda: _set_users(anonymous, server, administrator, wanted), give_up_at)


def _set_users(
    anonymous: Client, server: Server, administrator: Account, accounts: Iterable[Account]
) -> None:
    if not _logs_in(server, administrator):
        _create_administrator(anonymous, administrator)
    with _client(server, administrator) as client:
        for account in accounts:
            _set_user(client, account)


def _retried(step: Callable[[], None], give_up_at: float) -> None:
    """Run an idempotent step with retries: a server that just started may be slow or drop a connection."""
    while True:
        try:
            step()
        except ConnectionFailure:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _client(server: Server, account: Account | None = None) -> Client:
    login: dict[str, Any] = {"username": account.name, "password": account.password} if account else {}
    return MongoClient(
        server.address,
        directConnection=True,
        serverSelectionTimeoutMS=_ONE_ATTEMPT_MS,
        connectTimeoutMS=_ONE_ATTEMPT_MS,
        **login,
    )


def _until(done: Callable[[], bool], give_up_at: float, problem: str) -> None:
    while not done():
        if time.monotonic() > give_up_at:
            raise NotPrepared(f"{problem}; read its log")
        time.sleep(_PAUSE_S)


def _initiated(client: Client, server: Server) -> bool:
    try:
        if "setName" in client.admin.command("hello"):
            return True
        members = [{"_id": 0, "host": server.member}]
        client.admin.command("replSetInitiate", {"_id": server.replica_set, "members": members})
    except OperationFailure as refused:
        if refused.code in UNAUTHORIZED:
            raise NotPrepared(
                "MongoDB has users but no replica set, so only they may initiate it: log in and run rs.initiate()"
            ) from None
        return refused.code == _ALREADY_INITIATED
    except PyMongoError:
        return False
    return True


def _writable(client: Client) -> bool:
    try:
        return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False


def _logs_in(server: Server, account: Account) -> bool:
    try:
        with _client(server, account) as client:
            client.admin.command("listDatabases", nameOnly=True)
    except OperationFailure as refused:
        if refused.code in UNAUTHORIZED:
            return False
        raise
    return True


def _create_administrator(client: Client, account: Account) -> None:
    try:
        client.admin.command("createUser", account.name, pwd=account.password, roles=["root"])
    except OperationFailure as refused:
        if refused.code not in UNAUTHORIZED:
            raise
        raise NotPrepared(
            f"MongoDB has users already and refuses {account.name} with the password of this file: set the password "
            "of its first start, or change it in MongoDB"
        ) from None


def _set_user(client: Client, account: Account) -> None:
    rights = [{"role": "readWrite", "db": account.database}]
    try:
        client.admin.command("createUser", account.name, pwd=account.password, roles=rights)
    except OperationFailure as refused:
        if refused.code != _USER_EXISTS:
            raise
        client.admin.command("updateUser", account.name, pwd=account.password, roles=rights)


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m workerpool_kit.mongo.prepare", description=(__doc__ or "").partition("`python")[0]
    )
    parser.add_argument("--address", default="127.0.0.1:27017", help="where the server listens on this host")
    parser.add_argument("--member", required=True, help="host:port under which the services reach it")
    parser.add_argument("--replica-set", default="workerpool")
    parser.add_argument("--admin", default="admin", help="name of the administrator")
    parser.add_argument("--admin-password-file", required=True, type=Path)
    parser.add_argument("--limit", default=60.0, type=float, help="time limit in seconds")
    parser.add_argument(
        "accounts",
        nargs="*",
        metavar="DATABASE=URI_FILE",
        help="a database, and its service's connection string",
    )
    options = parser.parse_args(arguments)
    try:
        administrator = Account(options.admin, _secret(options.admin_password_file), "admin")
        accounts = [_account(argument) for argument in options.accounts]
        server = Server(options.address, options.member, options.replica_set)
        prepare(server, administrator, accounts, limit_s=options.limit)
    except (NotPrepared, OSError) as problem:
        sys.stderr.write(f"cannot prepare MongoDB: {problem}\n")
        return EXIT_REFUSED
    except PyMongoError as problem:
        sys.stderr.write(f"cannot prepare MongoDB: {type(problem).__name__}: {problem}\n")
        return EXIT_REFUSED
    sys.stdout.write(
        f"MongoDB is ready for {', '.join(account.database for account in accounts) or 'its users'}\n"
    )
    return EXIT_PREPARED


def _account(argument: str) -> Account:
    database, _, path = argument.partition("=")
    if not path:
        raise NotPrepared(f"expected DATABASE=URI_FILE, not {argument}")
    return Account.of(_secret(Path(path)), database)


def _secret(path: Path) -> str:
    content = path.read_text(encoding="utf-8").removesuffix("\n")
    if not content:
        raise NotPrepared(f"{path} is empty")
    return content


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
