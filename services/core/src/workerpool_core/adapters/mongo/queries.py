"""Queries of tasks, replicates and logs; synchronous, for the database's thread pool."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice

from mongoengine import Q
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.adapters.mongo.documents import ReplicateDocument, TaskDocument, TaskLogsDocument
from workerpool_core.adapters.mongo.records import REPLICATES, TASKS
from workerpool_core.adapters.mongo.removals import latest_removed_deal_block, removed_counts
from workerpool_core.adapters.mongo.writes import pair_id
from workerpool_core.app.ports import ComputeLogs, TaskPosition, TaskQuery
from workerpool_core.domain.model import Replicate, Task

_MAX_TASKS_OF_WORKER = 10_000
_CHUNK = 1_000
"""Task ids in one step of the log purge."""
_AFTER_EVERY_DIGIT = "g"


def task(task_id: TaskId) -> Task | None:
    """Return one task with its replicates."""
    record = TaskDocument.objects(task_id=task_id).as_pymongo().first()
    if record is None:
        return None
    found = TASKS.decode(record)
    for each in ReplicateDocument.objects(task_id=task_id).as_pymongo():
        worker_part = REPLICATES.decode(each)
        found.replicates[worker_part.wallet] = worker_part
    return found


def replicate(task_id: TaskId, wallet: str) -> Replicate | None:
    """Return the replicate of one worker for one task."""
    record = ReplicateDocument.objects(replicate_id=pair_id(task_id, wallet)).as_pymongo().first()
    return REPLICATES.decode(record) if record is not None else None


def tasks(query: TaskQuery, after: TaskPosition | None, limit: int) -> list[Task]:
    """Return up to `limit` tasks without replicates after a position, newest deal first.

    Each step after a position is one search in an index, however far back it is.
    """
    conditions = Q()
    if query.statuses:
        conditions &= Q(status__in=query.statuses)
    if query.deal_id:
        conditions &= Q(deal_id=query.deal_id)
    if query.requester:
        conditions &= Q(terms__requester=query.requester)
    if query.wallet:
        taken = ReplicateDocument.objects(wallet=query.wallet).order_by("-replicate_id")
        records = taken.limit(_MAX_TASKS_OF_WORKER).only("task_id").as_pymongo()
        conditions &= Q(task_id__in=[record["task_id"] for record in records])
    if query.id_head:
        conditions &= Q(task_id__gte=query.id_head, task_id__lt=query.id_head + _AFTER_EVERY_DIGIT)
    # The tasks of one deal share its block.
    order = ("index",) if query.deal_id else ("-terms.block", "deal_id", "index")
    found: list[Task] = []
    for step in _steps(query, after):
        if len(found) < limit:
            page = TaskDocument.objects(conditions & step).order_by(*order)
            if not query.wallet:
                page = page.hint(_index_of(query))
            found += [TASKS.decode(record) for record in page.limit(limit - len(found)).as_pymongo()]
    return found


def _index_of(query: TaskQuery) -> list[tuple[str, int]]:
    """Return the index that yields a list in order; without a hint the database would try several plans per query."""
    if query.id_head:
        return [("_id", 1)]
    if query.deal_id:
        return [("deal_id", 1), *([("status", 1)] if query.statuses else []), ("index", 1)]
    filters = [("terms.requester", 1)] if query.requester else []
    filters += [("status", 1)] if query.statuses else []
    return [*filters, ("terms.block", -1), ("deal_id", 1), ("index", 1)]


def _steps(query: TaskQuery, after: TaskPosition | None) -> list[Q]:
    """Return the parts of the list after a position: the rest of its deal, of its block, and older blocks."""
    if after is None:
        return [Q()]
    if query.deal_id:
        return [Q(index__gt=after.index)]
    return [
        Q(terms__block=after.block, deal_id=after.deal_id, index__gt=after.index),
        Q(terms__block=after.block, deal_id__gt=after.deal_id),
        Q(terms__block__lt=after.block),
    ]


def add_replicates(found: Sequence[Task]) -> None:
    """Add the replicates to tasks that were read without them."""
    by_id = {task.task_id: task for task in found}
    for record in ReplicateDocument.objects(task_id__in=list(by_id)).as_pymongo():
        each = REPLICATES.decode(record)
        by_id[each.task_id].replicates[each.wallet] = each


def latest_deal_block() -> int:
    """Return the newest block with a deal that became tasks; 0 before the first."""
    record = TaskDocument.objects.order_by("-terms.block").only("terms.block").as_pymongo().first()
    return int(record["terms"]["block"]) if record is not None else latest_removed_deal_block()


def status_counts() -> dict[TaskStatus, int]:
    """Count the tasks in each status, with those that were removed after their retention."""
    counted = TaskDocument.objects.aggregate([{"$group": {"_id": "$status", "count": {"$sum": 1}}}])
    stored = {TaskStatus(group["_id"]): group["count"] for group in counted}
    return dict(Counter(stored) + Counter(removed_counts()))


def logs(task_id: TaskId, wallet: str = "") -> list[ComputeLogs]:
    """Return the compute logs of a task; only those of `wallet` unless it is empty."""
    conditions = {"task_id": task_id} | ({"wallet": wallet} if wallet else {})
    found = TaskLogsDocument.objects(**conditions).order_by("wallet")
    return [ComputeLogs(item.wallet, item.stdout, item.stderr) for item in found]


def purge_logs(final_deadline_before: float) -> int:
    """Delete the logs of tasks whose final deadline is before a date, and return their number."""
    purged = 0
    # Not `distinct`, which returns one document for at most some 200,000 task ids.
    groups = TaskLogsDocument.objects.aggregate([{"$sort": {"task_id": 1}}, {"$group": {"_id": "$task_id"}}])
    ids = iter([group["_id"] for group in groups])
    while chunk := list(islice(ids, _CHUNK)):
        due = TaskDocument.objects(task_id__in=chunk, terms__final_deadline__lt=final_deadline_before)
        logs_due = TaskLogsDocument.objects(task_id__in=list(due.scalar("task_id")))
        purged += logs_due.delete(write_concern={"w": "majority", "j": True}) or 0
    return purged
