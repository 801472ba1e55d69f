"""Removes ended tasks after their retention. Synchronous: runs in the database's thread pool.

It bypasses the journal: no entry concerns a task that ended a day ago, and the scheduler has it no longer in memory.
"""

from collections import Counter
from typing import Any

import pymongo
from pymongo import MongoClient, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.adapters.mongo.documents import (
    RemovedTasksDocument,
    ReplicateDocument,
    TaskDocument,
    TaskLogsDocument,
)
from workerpool_core.adapters.mongo.snapshots import load_cursor, loaded_tasks
from workerpool_core.domain.policy import Policy

_AT_ONCE = 500
_TRANSACTION_LIMIT_S = 30.0
_DURABLE = WriteConcern("majority", j=True)


def remove_ended_tasks(
    client: "MongoClient[Any]", database: Database[Any], policy: Policy, before: float
) -> int:
    """Remove some tasks that ended, and whose final deadline passed, before a date; return how many.

    A task that a start would load stays: it awaits a transaction, or a reorganisation can open it again. Replicates and
    logs go first, so that none is left without its task. The number of tasks in each status stays known.
    """
    cursor = load_cursor()
    loaded = loaded_tasks(policy, before, max(cursor.number, 0) if cursor is not None else 0)
    due = {
        "ended_at": {"$gt": 0, "$lt": before},
        "terms.final_deadline": {"$lt": before},
        "$nor": [loaded.to_query(TaskDocument)],
    }
    tasks = _collection(database, TaskDocument)
    found = list(
        tasks.find(due, {"status": True, "terms.block": True}, hint=[("ended_at", 1)]).limit(_AT_ONCE)
    )
    if not found:
        return 0
    ids = [record["_id"] for record in found]
    for model in (TaskLogsDocument, ReplicateDocument):
        _collection(database, model).delete_many({"task_id": {"$in": ids}})
    counted = Counter(record["status"] for record in found)
    update = {
        "$inc": {f"counts.{status}": number for status, number in counted.items()},
        "$max": {"latest_deal_block": max(record["terms"]["block"] for record in found)},
    }
    removed = _collection(database, RemovedTasksDocument)

    def both(session: ClientSession) -> None:
        removed.update_one({"_id": RemovedTasksDocument.ID}, update, upsert=True, session=session)
        tasks.delete_many({"_id": {"$in": ids}}, session=session)

    with pymongo.timeout(_TRANSACTION_LIMIT_S), client.start_session() as session:
        session.with_transaction(both, write_concern=_DURABLE)
    return len(ids)


def removed_counts() -> dict[TaskStatus, int]:
    """Return the number of removed tasks in each status."""
    found = RemovedTasksDocument.objects.first()
    return {TaskStatus(status): number for status, number in found.counts.items()} if found else {}


def latest_removed_deal_block() -> int:
    """Return the newest block with a deal of a removed task; 0 without one."""
    found = RemovedTasksDocument.objects.first()
    return int(found.latest_deal_block) if found else 0


def _collection(database: Database[Any], model: Any) -> Any:
    """Return a collection, read as queries read it: see `LocalQuerySet`."""
    name = model._get_collection_name()
    return database.get_collection(name, read_concern=ReadConcern("local"), write_concern=_DURABLE)
