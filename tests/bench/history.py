"""A long history in core's database: ended tasks of many deals, a few that wait, and registered workers."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import SecretStr
from workerpool_core.adapters.mongo.documents import MODELS, ReplicateDocument, TaskDocument, WorkerDocument
from workerpool_core.adapters.mongo.records import REPLICATES, TASKS, WORKERS
from workerpool_core.adapters.mongo.writes import pair_id
from workerpool_core.app.queries import deal_queries, task_queries
from workerpool_core.domain.model import (
    Modifier,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
    WorkerModel,
)
from workerpool_core.simulation.deals import deal_terms
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_poco.protocol.ids import DealId, address, task_id_of
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_poco.protocol.statuses import TaskStatus as T

_DAY_S = 86_400.0
_BATCH = 2_000
_REQUESTERS = 500
_STORED = {"journal": 0}
"""What the journal adds to a document that an entry before the first one made."""
_FAILED_EVERY, _WAITING = 50, 200
"""Every so many tasks fails; the newest deals of one task each wait."""
_COMPLETED = (
    T.RECEIVED,
    T.INITIALIZING,
    T.INITIALIZED,
    T.RUNNING,
    T.CONSENSUS_REACHED,
    T.AT_LEAST_ONE_REVEALED,
    T.RESULT_UPLOADING,
    T.RESULT_UPLOADED,
    T.FINALIZING,
    T.FINALIZED,
    T.COMPLETED,
)
_FAILED = (T.RECEIVED, T.INITIALIZING, T.INITIALIZED, T.RUNNING, T.CONTRIBUTION_TIMEOUT, T.FAILED)
_WORK = (R.CREATED, R.STARTING, R.STARTED, R.APP_DOWNLOADING, R.APP_DOWNLOADED, R.COMPUTING)


@dataclass(frozen=True)
class History:
    """Where the pages of a bench start."""

    requester: str
    wallet: str
    name: str
    """Public name of that worker."""
    bag: str
    waiting_task: str
    bag_token: str
    late_task_token: str
    late_deal_token: str
    late_worker_token: str


def wallet_of(kind: str, number: int) -> str:
    """Return a wallet's address that depends on nothing but its name."""
    return address("0x" + hashlib.sha256(f"{kind} {number}".encode()).hexdigest()[:40])


async def store_history(uri: str, name: str, *, tasks: int, workers: int) -> History:
    """Store tasks and workers, and the indexes over them."""
    settings = MongoSettings(mongo_uri=SecretStr(uri), mongo_database=name)
    database = await Database.connect(settings, models=MODELS)
    try:
        return await asyncio.to_thread(_store, tasks, workers)
    finally:
        await database.close()


def _store(count: int, workers: int) -> History:
    wallets = sorted(wallet_of("worker", number) for number in range(workers))
    places: dict[str, Task] = {}
    stream = _tasks(count, wallets, places)
    while batch := list(islice(stream, _BATCH)):
        TaskDocument._get_collection().insert_many([_task_record(task) for task in batch], ordered=False)
        replicates = [each for task in batch for each in task.replicates.values()]
        if replicates:
            ReplicateDocument._get_collection().insert_many(
                [
                    {**REPLICATES.encode(r), "_id": pair_id(r.task_id, r.wallet), **_STORED}
                    for r in replicates
                ],
                ordered=False,
            )
    WorkerDocument._get_collection().insert_many(
        [{**WORKERS.encode(_worker(wallet)), "_id": wallet, **_STORED} for wallet in wallets]
    )
    bag, late = places["bag"], places["late"]
    return History(
        requester=wallet_of("requester", 0),
        wallet=wallets[0],
        name=_name(wallets[0]),
        bag=bag.terms.deal_id,
        waiting_task=places["waiting"].task_id,
        bag_token=task_queries.page_token_after(bag),
        late_task_token=task_queries.page_token_after(late),
        late_deal_token=deal_queries.page_token_after(late.terms),
        late_worker_token=wallets[-workers // 20],
    )


def _task_record(task: Task) -> dict[str, Any]:
    record = {**TASKS.encode(task), "_id": task.task_id, **_STORED}
    if task.ended:
        record["ended_at"] = task.history[-1].date
    return record


def _tasks(count: int, wallets: list[str], places: dict[str, Task]) -> Iterator[Task]:
    """Yield the tasks: a tenth in one bag, half in bags of 100, the rest alone; the first requester has a fifth."""
    made = number = 0
    sizes = [count // 10, *[100] * (count // 200)]
    while made < count:
        size = sizes.pop(0) if sizes else 1
        waits = count - made <= _WAITING
        start = time.time() - (0 if waits else 30 * _DAY_S)
        terms = deal_terms(
            DealId("0x" + hashlib.sha256(f"deal {number}".encode()).hexdigest()),
            start=start,
            execution_s=36_000,
            block=1_000 + number // 3,
            bot_size=size,
            requester=wallet_of("requester", 0 if number % 5 == 0 else number % _REQUESTERS),
            app_uri="docker.io/some/app:1.0",
            command_line="--input a --output b",
        )
        for index in range(min(size, count - made)):
            task = _task(Task(task_id_of(terms.deal_id, index), index, terms, []), made, wallets, waits=waits)
            if number == 0 and index == size // 2:
                places["bag"] = task
            if waits:
                places["waiting"] = task
            # Pages go from the newest deal back, so the third block is near the end of the list.
            if number == 9 and index == 0:
                places["late"] = task
            yield task
            made += 1
        number += 1


def _task(task: Task, place: int, wallets: list[str], *, waits: bool) -> Task:
    start = task.terms.start_time
    failed = place % _FAILED_EVERY == 0
    statuses = (T.RECEIVED,) if waits else _FAILED if failed else _COMPLETED
    task.history = [TaskChange(status, start + step) for step, status in enumerate(statuses)]
    if waits:
        return task
    task.initialization_block = task.final_block = task.terms.block + 1
    # The first worker has ten times as many tasks as the others.
    wallet = wallets[0] if place % (len(wallets) // 10) == 0 else wallets[place % len(wallets)]
    history = [ReplicateChange(status, start + step, Modifier.WORKER) for step, status in enumerate(_WORK)]
    cause = ReplicateStatusCause.APP_COMPUTE_FAILED if failed else None
    history.append(ReplicateChange(R.COMPUTED, start + len(_WORK), Modifier.WORKER, cause))
    task.replicates[wallet] = Replicate(task.task_id, wallet, 2, history, exit_code=3 if failed else 0)
    return task


def _name(wallet: str) -> str:
    return f"worker-{wallet[2:10]}"


def _worker(wallet: str) -> Worker:
    model = WorkerModel(_name(wallet), "0.1.0", "linux", "x86_64", 4, 8 << 30)
    seen = time.time() - _DAY_S
    return Worker(wallet, model, registered_at=seen - _DAY_S, last_seen=seen, lost=True)
