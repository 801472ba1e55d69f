"""After a crash of the database server the collections hold every acknowledged change, without a restart of core."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pymongo
import pytest
from pydantic import SecretStr
from workerpool_core.adapters.mongo.documents import MODELS
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task
from workerpool_core.errors import StoreDiverged
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_poco.protocol.statuses import ReplicateStatus

R = ReplicateStatus
NOW = 1_700_000_000.5
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
STEPS = (R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOADED)


class Core:
    """A store on its own server, with the entry numbers of a group commit."""

    def __init__(self, mongod: Mongod, database: Database) -> None:
        self.mongod = mongod
        self.store = Store(database)
        self.number = 0

    async def write(self, *writes: d.Write, applied: bool = True) -> None:
        """Make writes durable and apply them."""
        self.number += 1
        changes = await self.store.append(self.number, self.store.encode(writes))
        if applied:
            await self.store.apply(changes)

    async def die(self) -> None:
        """Kill the server and start it again."""
        self.mongod.kill()
        self.mongod.revive()
        await asyncio.to_thread(self.mongod.wait_ready)

    async def step_down(self) -> None:
        """Make the server step down as primary for a second."""
        await asyncio.to_thread(self._step_down)

    def _step_down(self) -> None:
        with pymongo.MongoClient[dict[str, object]](self.mongod.uri, directConnection=True) as client:
            client.admin.command("replSetStepDown", 1, secondaryCatchUpPeriodSecs=0, force=True)

    async def history(self, task: Task) -> list[str]:
        found = await self.store.task(task.task_id)
        assert found is not None, "the task is lost"
        return [change.status for change in found.replicates[WALLET].history]


@pytest.fixture
async def core(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Core]:
    monkeypatch.delenv("MONGO_URI", raising=False)
    with Mongod() as mongod:
        settings = MongoSettings(mongo_uri=SecretStr(mongod.uri), mongo_database="core")
        database = await Database.connect(settings, models=MODELS)
        core = Core(mongod, database)
        await core.store.recover()
        yield core
        await database.close()


def moved(task: Task, before: ReplicateStatus, after: ReplicateStatus) -> d.ReplicateChanged:
    change = ReplicateChange(after, NOW, Modifier.WORKER)
    return d.ReplicateChanged(task.task_id, WALLET, before, (change,))


async def test_changes_lost_by_the_server_are_applied_again_before_a_trim(
    core: Core, make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task = make_task()
    await core.write(d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    await core.die()
    await core.store.trim(core.number)
    assert await core.history(task) == [R.CREATED]
    await core.store.trim(core.number)
    assert await core.history(task) == [R.CREATED]
    assert await core.store.recover() == core.number


async def test_writes_continue_over_repeated_crashes(
    core: Core, make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task, before = make_task(), R.CREATED
    await core.write(d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    for after in STEPS:
        await core.die()
        await core.write(moved(task, before, after))
        before = after
    assert await core.history(task) == [R.CREATED, *STEPS]


async def test_a_replay_stops_before_the_entry_being_applied(
    core: Core, make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    """Waiting changes are merged; one applied in part by the replay would look like a foreign write."""
    task = make_task()
    await core.write(d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    applied = core.number
    await core.write(moved(task, R.CREATED, R.STARTING), applied=False)
    await core.die()
    await core.store.trim(applied)
    assert await core.history(task) == [R.CREATED]


async def test_a_lost_field_is_restored_before_the_next_change(
    core: Core, make_task: Callable[..., Task]
) -> None:
    """A change without a new status fits a document that lost the change before, so only the replay restores it."""
    task = make_task()
    await core.write(d.TaskCreated(task))
    await core.write(d.TaskChanged(task.task_id, task.status, (), {"initialization_block": 7}))
    await core.die()
    await core.write(d.TaskChanged(task.task_id, task.status, (), {"sms_url": "http://sms"}))
    await core.store.trim(core.number)
    found = await core.store.task(task.task_id)
    assert found is not None
    assert (found.initialization_block, found.sms_url) == (7, "http://sms")


async def test_a_foreign_write_diverges_after_a_crash_as_well(
    core: Core, make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task = make_task()
    await core.write(d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    await core.die()
    with pytest.raises(StoreDiverged):
        await core.write(moved(task, R.COMPUTING, R.COMPUTED))


async def test_writes_wait_for_a_primary_that_steps_down(core: Core, make_task: Callable[..., Task]) -> None:
    """The server reports this in many forms. None may end the process or lose an acknowledged write."""
    tasks: list[Task] = []

    async def work() -> None:
        while True:
            tasks.append(make_task(len(tasks) + 1))
            await core.write(d.TaskCreated(tasks[-1]))
            if core.number % 20 == 0:
                await core.store.trim(core.number - 10)

    working = asyncio.create_task(work())
    async with asyncio.timeout(60):
        for _ in range(3):
            written = len(tasks)
            while len(tasks) < written + 50 and not working.done():
                await asyncio.sleep(0.01)
            await core.step_down()
        written = len(tasks)
        while len(tasks) < written + 10 and not working.done():
            await asyncio.sleep(0.01)
    assert not working.done(), working.exception()
    working.cancel()
    await asyncio.wait({working})
    for task in tasks[:-1]:
        assert await core.store.task(task.task_id) is not None
