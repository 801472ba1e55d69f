"""The state from which the scheduler starts; synchronous, for the database's thread pool."""

from collections.abc import Iterator
from itertools import islice

from mongoengine import Q
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.adapters.mongo.documents import (
    ENDED_STATUSES,
    CommandDocument,
    CursorDocument,
    DealDocument,
    ReplicateDocument,
    TaskDocument,
    WorkerDocument,
)
from workerpool_core.adapters.mongo.records import COMMANDS, DEALS, REPLICATES, TASKS, TERMS, WORKERS
from workerpool_core.app.ports import Cursor
from workerpool_core.domain.model import DealTerms, PoolDeal, Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.snapshot import Snapshot

_CHUNK = 1_000
"""Task ids in one query for replicates."""


def load_snapshot(policy: Policy, now: float) -> Snapshot:
    """Load the tasks that `must_load` selects, with their replicates, all workers and all pending commands.

    Records are decoded without document objects, because a start may load tens of thousands of tasks (ADR 0003).
    """
    cursor = load_cursor()
    head = max(cursor.number, 0) if cursor is not None else 0
    terms: dict[str, DealTerms] = {}
    tasks: dict[TaskId, Task] = {}
    for record in TaskDocument.objects(loaded_tasks(policy, now, head)).as_pymongo():
        # The tasks of a deal share one object.
        shared = terms.get(record["deal_id"]) or TERMS.decode(record["terms"])
        terms[shared.deal_id] = shared
        tasks[record["_id"]] = TASKS.decode(record, terms=shared)
    for ids in _chunks(tasks):
        for record in ReplicateDocument.objects(task_id__in=ids).as_pymongo():
            replicate = REPLICATES.decode(record)
            tasks[replicate.task_id].replicates[replicate.wallet] = replicate
    stored = [DEALS.decode(record) for record in DealDocument.objects.as_pymongo()]
    deals = [(deal, _next_index(deal)) for deal in stored]
    unsaved = [] if deals else _deals_of_tasks(now)
    return Snapshot(
        tasks=tuple(tasks.values()),
        workers=tuple(map(WORKERS.decode, WorkerDocument.objects.as_pymongo())),
        commands=tuple(map(COMMANDS.decode, CommandDocument.objects.as_pymongo())),
        deals=tuple(deals or unsaved),
        unsaved_deals=frozenset(deal.terms.deal_id for deal, _ in unsaved),
        head=head,
    )


def _next_index(deal: PoolDeal) -> int:
    """Return the first index of a deal without a task; tasks are created in order."""
    newest = TaskDocument.objects(deal_id=deal.terms.deal_id).order_by("-index").only("index")
    record = newest.as_pymongo().first()
    return int(record["index"]) + 1 if record is not None else deal.terms.bot_first


def _deals_of_tasks(now: float) -> list[tuple[PoolDeal, int]]:
    """Return the deals of tasks that an earlier version stored, all of whose tasks exist."""
    recent = TaskDocument.objects(terms__contribution_deadline__gt=now)
    last = recent.aggregate(
        [
            {"$sort": {"deal_id": 1, "index": -1}},
            {"$group": {"_id": "$deal_id", "terms": {"$first": "$terms"}}},
        ]
    )
    deals = [PoolDeal(TERMS.decode(group["terms"])) for group in last]
    return [(deal, deal.terms.bot_first + deal.terms.bot_size) for deal in deals]


def loaded_tasks(policy: Policy, now: float, head: int) -> Q:
    """Return the query for the tasks that `must_load` selects; each alternative has an index."""
    query = (
        Q(status__nin=ENDED_STATUSES)
        | Q(claim_due=True)
        | Q(status=TaskStatus.COMPLETED, final_block=0)
        | Q(ended_at__gt=now - policy.ended_retention_s)
    )
    if head > 0:
        within_reach = max(head - policy.reorganisation_blocks, 0)
        query |= Q(status__in=ENDED_STATUSES, final_block__gt=within_reach)
    return query


def load_cursor() -> Cursor | None:
    """Return the last block whose effects are all stored; None before the first."""
    found = CursorDocument.objects(name=CursorDocument.ID).first()
    return Cursor(found.number, found.hash) if found is not None else None


def _chunks(items: dict[TaskId, Task]) -> Iterator[list[TaskId]]:
    ids = iter(items)
    while chunk := list(islice(ids, _CHUNK)):
        yield chunk
