"""A store on a real database, and values to put into it."""

from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr
from workerpool_core.adapters.mongo.documents import MODELS
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.domain.model import (
    DealTerms,
    Modifier,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
    WorkerModel,
)
from workerpool_core.simulation.deals import deal_terms
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

NOW = 1_700_000_000.5
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


@pytest.fixture
async def database(mongod: Mongod, database_name: str) -> AsyncIterator[Database]:
    settings = MongoSettings(mongo_uri=SecretStr(mongod.uri), mongo_database=database_name)
    database = await Database.connect(settings, models=MODELS)
    yield database
    await database.close()


@pytest.fixture
async def store(database: Database) -> Store:
    store = Store(database)
    await store.recover()
    return store


def _make_terms(number: int = 1, **changed: object) -> DealTerms:
    """Return the terms of deal `number`, with some of them changed."""
    terms: dict[str, object] = {
        "block": number,
        "app_address": ZERO_ADDRESS,
        "app_uri": "app:1",
        "command_line": "do it",
        "input_files": ("http://host/a",),
        "requester": WALLET,
        "beneficiary": WALLET,
        "worker_stake": 5,
        "secrets": (("1", "name"),),
    }
    return deal_terms(DealId(f"0x{number:064x}"), start=NOW, execution_s=300, **(terms | changed))


def _make_task(number: int = 1, *, status: TaskStatus = TaskStatus.RECEIVED, **changed: object) -> Task:
    """Return the only task of deal `number`."""
    terms = _make_terms(number, **changed)
    return Task(TaskId(f"0x{number + 1000:064x}"), 0, terms, [TaskChange(status, NOW)])


def _make_replicate(task: Task, wallet: str = WALLET) -> Replicate:
    """Return a replicate that was just created."""
    created = ReplicateChange(ReplicateStatus.CREATED, NOW, Modifier.POOL_MANAGER)
    return Replicate(task.task_id, wallet, 2, [created])


@pytest.fixture
def worker() -> Worker:
    model = WorkerModel("one", "1.0", "linux", "x86", 4, 2**33, gpus=1)
    return Worker(WALLET, model, NOW, NOW)


TaskMaker = Callable[..., Task]


@pytest.fixture
def make_task() -> Callable[..., Task]:
    """`make_task(number, status=…, **terms)` makes the only task of deal `number`."""
    return _make_task


@pytest.fixture
def make_replicate() -> Callable[..., Replicate]:
    """`make_replicate(task, wallet)` makes a replicate that was just created."""
    return _make_replicate
