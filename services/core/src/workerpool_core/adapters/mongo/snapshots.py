"""Loads the state that the scheduler starts from. Synchronous: runs in the database's thread pool."""

from collections.abc import Iterator
from itertools import islice

from mongoengine import Q
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.adapters.mongo.documents import (
    ENDED_STATUSES,
    CommandDocument,
    CursorDocument,
    ReplicateDocument,
    TaskDocument,
    WorkerDocument,
)
from workerpool_core.adapters.mongo.records import COMMANDS, REPLICATES, TASKS, TERMS, WORKERS
from workerpool_core.app.ports import Cursor
from workerpool_core.domain.model import DealTerms, Task
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
    ended = TaskDocument.objects(status__in=ENDED_STATUSES, terms__contribution_deadline__gt=now)
    return Snapshot(
        tasks=tuple(tasks.values()),
        workers=tuple(map(WORKERS.decode, WorkerDocument.objects.as_pymongo())),
        commands=tuple(map(COMMANDS.decode, CommandDocument.objects.as_pymongo())),
        ended_task_ids=frozenset(ended.scalar("task_id")) - tasks.keys(),
        head=head,
    )


def loaded_tasks(policy: Policy, now: float, head: int) -> Q:
    """Return the query for the tasks that `must_load` selects. Each alternative has an index."""
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
