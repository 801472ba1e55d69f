"""Pages stay quick with 5,000 workers and 100,000 tasks, compared with those of a small pool."""

import itertools
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest
from workerpool_core.adapters.mongo import writes
from workerpool_core.adapters.mongo.documents import ReplicateDocument, TaskDocument, WorkerDocument
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import (
    Modifier,
    Receipt,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
    WorkerModel,
)
from workerpool_core.simulation.deals import deal_terms, tasks_of
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.ids import DealId
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
from workerpool_poco.protocol.statuses import TaskStatus as S

from services.core.tests.api.conftest import NOW
from services.core.tests.api.operator_page.served_page import ServedPage, served
from services.core.tests.doubles.page_world import wallet

pytestmark = pytest.mark.soak

WORKERS, TASKS = 5_000, 100_000
FEW = 60
"""Workers and tasks of the small pool: one page and a little more, so that both show equally many rows."""
BAG, LIVE = 500, 10_000
ROUNDS = 5
CHUNK = 2_000


def tasks(count: int, first_bag: int) -> Iterator[Task]:
    """Yield tasks of bags: the newest are under way, one in ten of the others failed."""
    for place in itertools.count(1):
        bag = first_bag + place - 1
        start = NOW - 60.0 * max(count // BAG - place, 0)
        terms = deal_terms(
            DealId(f"0x{bag:064x}"),
            start=start,
            execution_s=86_400,
            block=bag,
            bot_size=BAG,
            requester=wallet(1_000_000 + bag % 7),
            trust=50 if bag % 2 else 1,
        )
        for index, task_id in enumerate(tasks_of(terms)):
            number = (place - 1) * BAG + index
            if number >= count:
                return
            history = [TaskChange(S.RECEIVED, start, Receipt(bag)), TaskChange(S.INITIALIZED, start + 1)]
            task = Task(task_id, index, terms, history, initialization_block=bag)
            if number < count - min(LIVE, count // 2):
                failed = number % 10 == 0
                history.append(TaskChange(S.FAILED if failed else S.COMPLETED, start + 2))
                task.final_block = bag
            tried = [
                ReplicateChange(R.CREATED, start, Modifier.POOL_MANAGER),
                ReplicateChange(R.APP_DOWNLOAD_FAILED, start, Modifier.WORKER, C.APP_IMAGE_DOWNLOAD_FAILED),
            ]
            name = wallet(number % WORKERS)
            task.replicates[name] = Replicate(task_id, name, 2, tried)
            yield task


def fill(database: Database, workers: range, task_count: int, first_bag: int) -> None:
    """Store workers and tasks as core would have, beside those that are there."""
    model = WorkerModel("worker", "1.0", "linux", "x86-64", 4, 16 << 30)
    known = (d.WorkerSaved(Worker(wallet(n), model, NOW, NOW)) for n in workers)
    _insert(database, WorkerDocument, known)
    made, again = itertools.tee(tasks(task_count, first_bag))
    _insert(database, TaskDocument, (d.TaskCreated(task) for task in made))
    replicates = (d.ReplicateCreated(r) for task in again for r in task.replicates.values())
    _insert(database, ReplicateDocument, replicates)


def _insert(database: Database, model: Any, decided: Iterator[d.Write]) -> None:
    collection = database.db[model._get_collection_name()]
    changes = map(writes.encode, decided)
    while chunk := list(itertools.islice(changes, CHUNK)):
        collection.insert_many([{"_id": each.id, "journal": 0, **each.document} for each in chunk])


async def measured(api: Any, workers: int) -> dict[str, float]:
    """Return the median seconds of each page, with all workers connected."""
    model = WorkerModel("worker", "1.0", "linux", "x86-64", 4, 16 << 30)
    for number in range(workers):
        api.engine.submit(e.WorkerConnected(wallet(number), f"s{number}", model))
    await api.commit.drained()
    async with served(api) as page:
        await page.sign_in()
        found: dict[str, float] = {}
        for name, path in await paths(page):
            times = []
            for _ in range(ROUNDS):
                # The summary is kept for a second of the pool's time.
                api.clock.advance(2)
                started = time.perf_counter()
                answer = await page.get(path)
                times.append(time.perf_counter() - started)
                assert answer.status == 200, path
            found[name] = statistics.median(times)
        return found


async def paths(page: ServedPage) -> list[tuple[str, str]]:
    """Return the pages by name, lists also from their middle."""
    newest = (await page.get("/ui/tasks?status=open")).text.partition('<a href="./tasks/')[2][:66]
    deal = (await page.get("/ui/deals")).text.partition('<a href="./deals/')[2][:66]
    middle = (await page.get("/ui/tasks")).text.partition("?page=")[2].partition('"')[0]
    return [
        ("overview", "/ui/"),
        ("workers", "/ui/workers"),
        ("workers by name", "/ui/workers?q=nothing"),
        ("workers by reason", "/ui/workers?reason=WORKER_PARKED"),
        ("a worker", f"/ui/workers/{wallet(7)}"),
        ("tasks", "/ui/tasks"),
        ("tasks, next page", f"/ui/tasks?page={middle}"),
        ("tasks under way", "/ui/tasks?status=open"),
        ("failed tasks", "/ui/tasks?status=FAILED"),
        ("tasks of a deal", f"/ui/tasks?deal={deal}"),
        ("tasks of a requester", f"/ui/tasks?requester={wallet(1_000_001)}&status=FAILED"),
        ("tasks of a worker", f"/ui/tasks?worker={wallet(7)}"),
        ("a task", f"/ui/tasks/{newest}"),
        ("deals", "/ui/deals"),
        ("a deal", f"/ui/deals/{deal}"),
        ("transactions", "/ui/transactions"),
        ("wallet", "/ui/wallet"),
    ]


async def test_pages_of_a_large_pool_beside_those_of_a_small_one(
    open_api: Any, database: Database, record_property: Any
) -> None:
    fill(database, range(FEW), FEW, 1)
    small = await measured(await open_api(), FEW)
    fill(database, range(FEW, WORKERS), TASKS - FEW, 2)
    large = await measured(await open_api(), WORKERS)
    record_property("figure", f"pages with {WORKERS:,} workers and {TASKS:,} tasks (with {FEW} of each), ms:")
    for name, seconds in large.items():
        record_property("figure", f"  {name}: {seconds * 1000:.0f} ({small[name] * 1000:.0f})")
