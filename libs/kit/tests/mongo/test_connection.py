"""Connecting to MongoDB: what an operator reads when it cannot be used."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymongo
import pytest
from patience import PATIENCE_S
from workerpool_devnet.processes.mongod import mongod_binary
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.mongo.connection import hosts_of, new_client
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import StartupError

from .notes import settings_for


async def test_unreachable_server_is_named_without_credentials() -> None:
    port = free_port()
    with pytest.raises(StartupError) as refused:
        await Database.connect(settings_for(f"mongodb://user:s3cret@127.0.0.1:{port}/"), limit_s=0.1)
    assert f"cannot reach MongoDB at 127.0.0.1:{port}" in str(refused.value)
    assert "s3cret" not in str(refused.value)


async def test_wait_for_a_server_can_be_cancelled() -> None:
    waiting = asyncio.create_task(Database.connect(settings_for(f"mongodb://127.0.0.1:{free_port()}/")))
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, PATIENCE_S)


async def test_error_does_not_repeat_an_unusable_uri() -> None:
    with pytest.raises(StartupError, match="MONGO_URI is not a usable") as refused:
        await Database.connect(settings_for("mongodb://user:s3cret@@host:x"))
    assert "s3cret" not in str(refused.value)


@contextmanager
def mongod_with(folder: Path, *options: str) -> Iterator[int]:
    """Run a server with options inside a context; give its port, at which it may not answer for a while."""
    port = free_port()
    command = [str(mongod_binary()), "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1"]
    with subprocess.Popen([*command, "--nounixsocket", *options], stdout=subprocess.DEVNULL) as server:
        try:
            yield port
        finally:
            server.kill()


@pytest.mark.parametrize(
    ("options", "credentials", "words"),
    [((), "", "is not a replica set"), (("--auth",), "user:s3cret@", "refuses the credentials of MONGO_URI")],
)
async def test_server_that_cannot_be_used_is_refused_with_its_cause(
    tmp_path: Path, options: tuple[str, ...], credentials: str, words: str
) -> None:
    with mongod_with(tmp_path, *options) as port:
        settings = settings_for(f"mongodb://{credentials}127.0.0.1:{port}/")
        with pytest.raises(StartupError, match=words) as refused:
            await Database.connect(settings, limit_s=PATIENCE_S)
        assert "s3cret" not in str(refused.value)


async def test_replica_set_that_is_not_initiated_is_named_while_it_is_awaited(tmp_path: Path) -> None:
    """Without a limit of the wait: on a busy machine a limit may pass before the server answers."""
    told = asyncio.Queue[StartupError]()
    with mongod_with(tmp_path, "--replSet", "rs0") as port:
        settings = settings_for(f"mongodb://127.0.0.1:{port}/")
        connecting = asyncio.create_task(Database.connect(settings, waits=told.put_nowait))
        async with asyncio.timeout(PATIENCE_S):
            while "an uninitiated replica set member; run rs.initiate()" not in str(await told.get()):
                pass
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting


def test_hosts_are_shown_without_credentials() -> None:
    settings = settings_for("mongodb://user:s3cret@one:1,two:2/?replicaSet=rs")
    with new_client(pymongo.MongoClient, settings, max_pool_size=1, connect=False) as client:
        assert hosts_of(client, settings) == "one:1,two:2"
