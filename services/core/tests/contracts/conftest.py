"""The implementations of each port, behind one face per contract."""

from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from pydantic import SecretStr
from workerpool_core.adapters.mongo.changes import Change
from workerpool_core.adapters.mongo.documents import MODELS
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.ports import ComputeLogs
from workerpool_core.domain.decisions import Write
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.snapshot import Snapshot
from workerpool_core.errors import StoreDiverged
from workerpool_core.simulation.ledger import Ledger, StoreConflict
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_poco.protocol.ids import TaskId


class StoreUnderTest(Protocol):
    """A store as the scheduler's process uses it."""

    conflict: type[Exception]
    """Raised by a write that expects what the store does not hold."""

    async def write(self, *writes: Write) -> None:
        """Make a batch durable and apply it."""

    async def crash_after(self, *writes: Write) -> None:
        """Make a batch durable, crash before it is applied, and start again."""

    async def restart(self) -> None:
        """Stop and start again."""

    async def snapshot(self, policy: Policy, now: float) -> Snapshot:
        """Load what a start needs."""

    async def logs(self, task_id: TaskId) -> list[ComputeLogs]:
        """Read the compute logs of a task."""


class LedgerUnderTest:
    """The simulation's store in memory."""

    conflict: type[Exception] = StoreConflict

    def __init__(self) -> None:
        self._ledger = Ledger()

    async def write(self, *writes: Write) -> None:
        for write in writes:
            self._ledger.apply(write)

    async def crash_after(self, *writes: Write) -> None:
        await self.write(*writes)

    async def restart(self) -> None:
        """Keep the ledger: it outlives the simulated process."""

    async def snapshot(self, policy: Policy, now: float) -> Snapshot:
        return self._ledger.snapshot(policy, now)

    async def logs(self, task_id: TaskId) -> list[ComputeLogs]:
        return [
            ComputeLogs(wallet, *texts)
            for (task, wallet), texts in sorted(self._ledger.logs.items())
            if task == task_id
        ]


class MongoUnderTest:
    """The store of the running service."""

    conflict: type[Exception] = StoreDiverged

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = Store(database)
        self._number = 0

    async def write(self, *writes: Write) -> None:
        await self._store.apply(await self._append(writes))

    async def crash_after(self, *writes: Write) -> None:
        await self._append(writes)
        await self.restart()

    async def restart(self) -> None:
        self._store = Store(self._database)
        self._number = await self._store.recover()

    async def snapshot(self, policy: Policy, now: float) -> Snapshot:
        return await self._store.snapshot(policy, now)

    async def logs(self, task_id: TaskId) -> list[ComputeLogs]:
        return await self._store.logs(task_id)

    async def _append(self, writes: tuple[Write, ...]) -> list[Change]:
        self._number += 1
        return await self._store.append(self._number, self._store.encode(writes))


@pytest.fixture
async def mongo_store(mongod: Mongod, database_name: str) -> AsyncIterator[MongoUnderTest]:
    settings = MongoSettings(mongo_uri=SecretStr(mongod.uri), mongo_database=database_name)
    database = await Database.connect(settings, models=MODELS)
    store = MongoUnderTest(database)
    await store.restart()
    yield store
    await database.close()


@pytest.fixture
def ledger_store() -> LedgerUnderTest:
    return LedgerUnderTest()


@pytest.fixture(params=["ledger", "mongo"])
def any_store(request: pytest.FixtureRequest) -> StoreUnderTest:
    """Each implementation of the store in turn."""
    store: StoreUnderTest = request.getfixturevalue(f"{request.param}_store")
    return store
