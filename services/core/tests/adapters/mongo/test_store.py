"""The store keeps decisions through crashes, and detects writes of another process."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from workerpool_core.adapters.mongo.changes import merge_all
from workerpool_core.adapters.mongo.documents import TaskDocument
from workerpool_core.adapters.mongo.snapshots import loaded_tasks
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.ports import Cursor, TaskPosition, TaskQuery
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import (
    Action,
    Command,
    Modifier,
    PoolDeal,
    Receipt,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
)
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.snapshot import must_load
from workerpool_core.errors import StoreDiverged
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus

NOW = 1_700_000_000.5
POLICY = Policy()
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
TASK_ID = TaskId(f"0x{1001:064x}")
MakeTask = Callable[..., Task]
MakeReplicate = Callable[..., Replicate]


async def journal(store: Store, number: int, writes: Sequence[d.Write]) -> None:
    """Append writes as entry `number`, without bringing the collections up to date: a death right after."""
    await store.append(number, store.encode(writes))


async def write(store: Store, number: int, *writes: d.Write) -> None:
    await store.apply(await store.append(number, store.encode(writes)))


def started(expected: ReplicateStatus, *statuses: ReplicateStatus) -> d.ReplicateChanged:
    changes = tuple(ReplicateChange(status, NOW, Modifier.WORKER) for status in statuses)
    return d.ReplicateChanged(TASK_ID, WALLET, expected, changes)


async def test_a_snapshot_holds_what_was_written(
    store: Store, worker: Worker, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    replicate = make_replicate(task)
    command = Command(WALLET, 7, task.task_id, Action.ABORT, 3, ReplicateStatusCause.CONSENSUS_REACHED)
    await write(
        store,
        1,
        d.TaskCreated(task),
        d.ReplicateCreated(replicate),
        d.WorkerSaved(worker),
        d.CommandQueued(command),
        d.CursorMoved(12, "0xaa"),
    )
    snapshot = await store.snapshot(POLICY, NOW)
    task.replicates[WALLET] = replicate
    assert snapshot.tasks == (task,)
    assert snapshot.workers == (worker,)
    assert snapshot.commands == (command,)
    assert snapshot.unsaved_deals == {task.terms.deal_id}
    assert snapshot.head == 12
    assert await store.cursor() == Cursor(12, "0xaa")


async def test_the_newest_deal_is_known_after_a_start(store: Store, make_task: MakeTask) -> None:
    assert await store.latest_deal_block() == 0
    await write(
        store, 1, d.TaskCreated(make_task(3)), d.TaskCreated(make_task(12)), d.TaskCreated(make_task(7))
    )
    assert await store.latest_deal_block() == 12


async def test_histories_grow_with_receipts_and_causes(
    store: Store, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await write(store, 1, d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    task_change = TaskChange(TaskStatus.INITIALIZING, NOW + 1, Receipt(5, "0x01"))
    failed = ReplicateChange(
        ReplicateStatus.START_FAILED, NOW, Modifier.WORKER, ReplicateStatusCause.STAKE_TOO_LOW, Receipt(6)
    )
    await write(
        store,
        2,
        d.TaskChanged(task.task_id, TaskStatus.RECEIVED, (task_change,), {"initialization_block": 5}),
        started(ReplicateStatus.CREATED, ReplicateStatus.STARTING),
        d.ReplicateChanged(task.task_id, WALLET, ReplicateStatus.STARTING, (failed,), {"exit_code": 3}),
    )
    found = await store.task(task.task_id)
    assert found is not None
    assert found.history == [*task.history, task_change]
    assert found.initialization_block == 5
    assert [c.status for c in found.replicates[WALLET].history] == ["CREATED", "STARTING", "START_FAILED"]
    assert found.replicates[WALLET].history[-1] == failed
    assert found.replicates[WALLET].exit_code == 3


async def test_a_batch_that_only_reached_the_journal_is_replayed(
    store: Store, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await journal(store, 1, [d.TaskCreated(task), d.ReplicateCreated(make_replicate(task))])
    await journal(
        store, 2, [started(ReplicateStatus.CREATED, ReplicateStatus.STARTING), d.CursorMoved(1, "0x")]
    )
    assert await store.recover() == 2
    found = await store.task(task.task_id)
    assert found is not None
    assert found.replicates[WALLET].status is ReplicateStatus.STARTING


async def test_replaying_twice_changes_nothing(
    store: Store, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await write(store, 1, d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    await write(store, 2, started(ReplicateStatus.CREATED, ReplicateStatus.STARTING))
    await write(store, 3, started(ReplicateStatus.STARTING, ReplicateStatus.STARTED))
    before = await store.task(task.task_id)
    assert await store.recover() == 3
    assert await store.recover() == 3
    assert await store.task(task.task_id) == before


async def test_a_crash_between_two_merged_entries_is_recovered_exactly(
    store: Store, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    """Entries 2 and 3 reached one document merged; replaying 2 must not append to it again."""
    task = make_task()
    await write(store, 1, d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    two = started(ReplicateStatus.CREATED, ReplicateStatus.STARTING)
    three = started(ReplicateStatus.STARTING, ReplicateStatus.STARTED)
    await journal(store, 2, [two])
    await journal(store, 3, [three])
    (merged,) = merge_all(store.encode([two])[:1] + store.encode([three])[:1])
    merged.first, merged.last = 2, 3
    await store.apply([merged])
    await store.recover()
    found = await store.task(task.task_id)
    assert found is not None
    assert [c.status for c in found.replicates[WALLET].history] == ["CREATED", "STARTING", "STARTED"]


async def test_a_trimmed_journal_keeps_its_numbers(store: Store) -> None:
    for number in (1, 2, 3):
        await write(store, number, d.CursorMoved(number, "0x"))
    await store.trim(3)
    assert await store.recover() == 3


async def test_an_unexpected_status_diverges(
    store: Store, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await write(store, 1, d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    with pytest.raises(StoreDiverged) as refused:
        await write(store, 2, started(ReplicateStatus.COMPUTING, ReplicateStatus.COMPUTED))
    assert "replicate" in next(iter(refused.value.details))


async def test_a_second_writer_of_a_replicate_diverges(
    store: Store, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await write(store, 1, d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    changes = store.encode([d.ReplicateCreated(make_replicate(task))])
    changes[0].first = changes[0].last = 2
    with pytest.raises(StoreDiverged):
        await store.apply(changes)


async def test_a_deal_that_a_reorganisation_moved_changes_the_terms_of_its_tasks(
    store: Store, make_task: MakeTask
) -> None:
    task = make_task()
    moved = replace(task.terms, block=task.terms.block + 3, final_deadline=task.terms.final_deadline + 15)
    await write(store, 1, d.TaskCreated(task))
    await write(store, 2, d.TaskChanged(task.task_id, TaskStatus.RECEIVED, (), {"terms": moved}))
    found = await store.task(task.task_id)
    assert found is not None
    assert found.terms == moved


async def test_an_existing_task_is_left_unchanged(store: Store, make_task: MakeTask) -> None:
    task = make_task()
    await write(store, 1, d.TaskCreated(task))
    initializing = TaskChange(TaskStatus.INITIALIZING, NOW)
    await write(store, 2, d.TaskChanged(task.task_id, TaskStatus.RECEIVED, (initializing,)))
    await write(store, 3, d.TaskCreated(make_task()))
    found = await store.task(task.task_id)
    assert found is not None
    assert found.status is TaskStatus.INITIALIZING


async def test_two_processes_cannot_write_one_journal(store: Store) -> None:
    await journal(store, 1, [d.CursorMoved(1, "0x")])
    with pytest.raises(StoreDiverged, match="another process"):
        await journal(store, 1, [d.CursorMoved(2, "0x")])


async def test_deals_of_an_earlier_version_are_known_by_their_tasks(
    store: Store, make_task: MakeTask
) -> None:
    task, to_claim = make_task(1, status=TaskStatus.FAILED), make_task(2, status=TaskStatus.FAILED)
    to_claim.claim_due = True
    await write(store, 1, d.TaskCreated(task), d.TaskCreated(to_claim))
    later = NOW + POLICY.ended_retention_s
    snapshot = await store.snapshot(POLICY, later)
    assert [item.task_id for item in snapshot.tasks] == [to_claim.task_id]
    assert snapshot.unsaved_deals == {task.terms.deal_id, to_claim.terms.deal_id}
    assert all(
        next_index == deal.terms.bot_first + deal.terms.bot_size for deal, next_index in snapshot.deals
    )
    assert (await store.snapshot(POLICY, NOW + 10_000)).deals == ()
    await write(store, 2, d.DealSaved(PoolDeal(task.terms)))
    assert (await store.snapshot(POLICY, later)).unsaved_deals == frozenset()


def endings(make_task: MakeTask) -> list[Task]:
    """Tasks in every state that matters to whether a start takes them up; the chain was followed up to block 100."""
    tasks = [make_task(1), make_task(2, status=TaskStatus.RUNNING)]
    for status in (TaskStatus.COMPLETED, TaskStatus.FAILED):
        for final_block in (0, 1, 36, 37, 100):
            for claim_due in (False, True):
                for date in (NOW, NOW - POLICY.ended_retention_s):
                    task = make_task(len(tasks) + 1)
                    task.history.append(TaskChange(status, date))
                    task.final_block, task.claim_due = final_block, claim_due
                    tasks.append(task)
    return tasks


@pytest.mark.parametrize("head", [0, 20, 100])
async def test_a_start_loads_the_tasks_that_the_domain_selects(
    store: Store, make_task: MakeTask, head: int
) -> None:
    tasks = endings(make_task)
    await write(store, 1, *(d.TaskCreated(task) for task in tasks))
    if head:
        await write(store, 2, d.CursorMoved(head, "0x"))
    found = await store.snapshot(POLICY, NOW)
    expected = {task.task_id for task in tasks if must_load(task, POLICY, NOW, head)}
    assert {task.task_id for task in found.tasks} == expected
    assert found.unsaved_deals == {task.terms.deal_id for task in tasks}


async def test_a_task_that_ended_by_a_change_is_loaded(
    store: Store, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await write(store, 1, d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    failed = TaskChange(TaskStatus.FAILED, NOW + 1)
    await write(store, 2, d.TaskChanged(task.task_id, TaskStatus.RECEIVED, (failed,)))
    (found,) = (await store.snapshot(POLICY, NOW + POLICY.ended_retention_s)).tasks
    assert (found.status, [*found.replicates]) == (TaskStatus.FAILED, [WALLET])
    assert (await store.snapshot(POLICY, NOW + POLICY.ended_retention_s + 1)).tasks == ()


async def test_ended_tasks_without_later_fields_are_not_loaded(
    database: Database, store: Store, make_task: MakeTask
) -> None:
    ended, live = make_task(1, status=TaskStatus.COMPLETED), make_task(2)
    await write(store, 1, d.TaskCreated(ended), d.TaskCreated(live), d.CursorMoved(12, "0x"))
    database.db["task"].update_many({}, {"$unset": {"final_block": 1, "ended_at": 1}})
    assert (await store.snapshot(POLICY, NOW)).tasks == (live,)


async def test_a_start_examines_only_the_documents_it_loads(
    database: Database, store: Store, make_task: MakeTask
) -> None:
    history = [make_task(number, status=TaskStatus.COMPLETED) for number in range(1, 501)]
    for task in history:
        task.final_block = 1
    later = NOW + 10_000
    await write(store, 1, *(d.TaskCreated(task) for task in [*history, *endings(make_task)[-2:]]))
    plan = await database.run(TaskDocument.objects(loaded_tasks(POLICY, later, 100)).explain)
    told = plan["executionStats"]
    assert told["totalDocsExamined"] < 10
    assert told["totalKeysExamined"] < 30


async def test_tasks_are_listed_newest_deal_first_and_filtered(
    store: Store, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    tasks = [make_task(number) for number in (1, 2, 3)]
    other = replace(tasks[0].terms, requester="0x" + "11" * 20, deal_id=DealId("0x" + "ff" * 32), block=9)
    tasks[0].terms = other
    await write(
        store, 1, *(d.TaskCreated(task) for task in tasks), d.ReplicateCreated(make_replicate(tasks[1]))
    )

    async def listed(query: TaskQuery, after: TaskPosition | None = None) -> list[int]:
        return [task.terms.block for task in await store.tasks(query, after, 10)]

    assert await listed(TaskQuery()) == [9, 3, 2]
    assert await listed(TaskQuery(), TaskPosition(3, tasks[2].terms.deal_id, 0)) == [2]
    assert await listed(TaskQuery(requester=WALLET)) == [3, 2]
    assert await listed(TaskQuery(wallet=WALLET)) == [2]
    assert await listed(TaskQuery(deal_id=tasks[2].terms.deal_id)) == [3]
    assert await listed(TaskQuery(statuses=("FAILED",))) == []


async def test_the_first_logs_win_and_are_purged_after_the_final_deadline(
    store: Store, make_task: MakeTask
) -> None:
    task = make_task()
    await write(store, 1, d.TaskCreated(task), d.LogsStored(task.task_id, WALLET, "out", "err"))
    await write(store, 2, d.LogsStored(task.task_id, WALLET, "later", ""))
    (kept,) = await store.logs(task.task_id, WALLET)
    assert (kept.wallet, kept.stdout, kept.stderr) == (WALLET, "out", "err")
    assert await store.purge_logs(task.terms.final_deadline) == 0
    assert await store.purge_logs(task.terms.final_deadline + 1) == 1
    assert await store.logs(task.task_id) == []


async def test_logs_of_very_many_tasks_are_purged(database: Database, store: Store) -> None:
    """More ids than fit one answer of the server (16 MB): some 200,000 tasks, or here fewer with long names."""
    names = [f"{number:04}" + "x" * 9_000 for number in range(2_000)]
    logs = [{"_id": name[:4], "task_id": name} for name in names]
    tasks = [
        {"_id": name, "deal_id": name[:4], "index": 0, "terms": {"final_deadline": NOW}} for name in names
    ]
    await database.run(database.db["taskLogs"].insert_many, logs)
    await database.run(database.db["task"].insert_many, tasks)
    assert await store.purge_logs(NOW + 1) == len(names)


async def test_an_acknowledged_command_is_not_loaded(store: Store) -> None:
    await write(store, 1, d.CommandQueued(Command(WALLET, 1, TASK_ID, Action.REVEAL)))
    await write(store, 2, d.CommandRemoved(WALLET, 1))
    assert (await store.snapshot(POLICY, NOW)).commands == ()


async def test_every_query_has_its_index(database: Database, store: Store) -> None:
    names = {index["name"] for index in database.db["task"].list_indexes()}
    assert {
        "deal_id_1_index_1",
        "status_1_final_block_1",
        "ended_at_1",
        "terms.block_-1_deal_id_1_index_1",
    } <= names
