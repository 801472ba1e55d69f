"""Health follows the database, on a real mongod that hangs and crashes."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from workerpool_core.adapters.mongo.documents import MODELS
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.maintenance.database_health import watch_database
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.health import Health
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_poco.protocol.ids import TaskId

LONG_S = 30.0


@pytest.fixture
async def own_mongod(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mongod]:
    """A server of this test alone, which may be stopped."""
    monkeypatch.delenv("MONGO_URI", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="workerpool-mongod-"))
    mongod = Mongod(folder=folder)
    mongod.launch()
    await asyncio.to_thread(mongod.wait_ready)
    yield mongod
    mongod.stop()


@pytest.fixture
async def own_store(own_mongod: Mongod) -> AsyncIterator[Store]:
    settings = MongoSettings(mongo_uri=SecretStr(own_mongod.uri), mongo_database="health")
    database = await Database.connect(settings, models=MODELS)
    yield Store(database)
    await database.close()


async def becomes(health: Health, up: bool) -> None:
    async with asyncio.timeout(LONG_S):
        while health.is_up is not up:
            await asyncio.sleep(0.02)


async def test_health_follows_a_hanging_a_dead_and_a_recovered_database(
    own_mongod: Mongod, own_store: Store
) -> None:
    health, process = Health(), own_mongod.process
    assert process is not None
    watching = asyncio.create_task(watch_database(own_store, health, every_s=0.05))
    try:
        await own_store.ping()
        await becomes(health, True)
        process.signal(signal.SIGSTOP)
        await becomes(health, False)
        assert "no primary" in health.snapshot()["components"]["database"]["details"]["reason"]
        process.signal(signal.SIGCONT)
        await becomes(health, True)
        process.kill()
        await becomes(health, False)
        with pytest.raises(DatabaseUnavailable):
            await own_store.task(TaskId("0x" + "00" * 32))
        process.start()
        await becomes(health, True)
        assert await own_store.task(TaskId("0x" + "00" * 32)) is None
    finally:
        watching.cancel()
