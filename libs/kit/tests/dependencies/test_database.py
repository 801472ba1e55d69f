"""Health follows the database, on a real mongod that is missing, refuses, hangs and crashes."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pymongo
import pytest
from patience import PATIENCE_S
from pydantic import SecretStr
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.dependencies.database import (
    connect_database,
    database_dependency,
    open_database,
    watch_database,
)
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_kit.dependencies.watch import start_watching
from workerpool_kit.health import Health
from workerpool_kit.process import Lifetime
from workerpool_kit.settings.base import MongoSettings


@pytest.fixture
async def own_mongod(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mongod]:
    """A server of this test alone, which may be stopped."""
    monkeypatch.delenv("MONGO_URI", raising=False)
    mongod = Mongod(folder=Path(tempfile.mkdtemp(prefix="workerpool-mongod-")))
    mongod.launch()
    await asyncio.to_thread(mongod.wait_ready)
    yield mongod
    mongod.stop()


def settings_of(uri: str) -> MongoSettings:
    return MongoSettings(mongo_uri=SecretStr(uri), mongo_database="health")


async def shows(health: Health, text: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while text not in str(health.snapshot()["components"]["database"]):
            await asyncio.sleep(0.02)


async def test_health_follows_a_hanging_a_dead_and_a_recovered_database(own_mongod: Mongod) -> None:
    health, process, settings = Health(), own_mongod.process, settings_of(own_mongod.uri)
    assert process is not None
    report = DependencyReport(health, database_dependency(settings))
    database = await connect_database(settings, report)
    assert health.is_up
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        start_watching(Lifetime(), stack, watch_database(database, report, 0.05), "database")
        process.signal(signal.SIGSTOP)
        await shows(health, "OUT_OF_SERVICE")
        assert health.snapshot()["components"]["database"]["details"]["variable"] == "MONGO_URI"
        process.signal(signal.SIGCONT)
        await shows(health, "UP")
        process.kill()
        await shows(health, "no primary of MongoDB answers")
        process.start()
        await shows(health, "UP")


async def test_an_opened_database_is_watched_until_it_is_closed(own_mongod: Mongod) -> None:
    health, process, settings = Health(), own_mongod.process, settings_of(own_mongod.uri)
    assert process is not None
    report = DependencyReport(health, database_dependency(settings))
    async with AsyncExitStack() as cleanup:
        database = await open_database(settings, report, Lifetime(), cleanup, models=[])
        assert await database.run_once(database.db.list_collection_names) == ["schema"]
        process.kill()
        await shows(health, "no primary of MongoDB answers")
    with pytest.raises(RuntimeError, match="shutdown"):
        await database.run_once(database.db.list_collection_names)


async def test_wrong_credentials_are_named_and_accepted_once_corrected(own_mongod: Mongod) -> None:
    health = Health()
    settings = settings_of(own_mongod.uri.replace("mongodb://", "mongodb://pool:s3cret@"))
    report = DependencyReport(health, database_dependency(settings))
    connecting = asyncio.create_task(connect_database(settings, report))
    await shows(health, "refuses the credentials")
    details = health.snapshot()["components"]["database"]["details"]
    assert details["variable"] == "MONGO_URI"
    assert "s3cret" not in str(details)
    with pymongo.MongoClient[dict[str, object]](own_mongod.uri) as client:
        client.admin.command("createUser", "pool", pwd="s3cret", roles=["root"])
    database = await asyncio.wait_for(connecting, PATIENCE_S)
    assert health.is_up
    await database.close()
