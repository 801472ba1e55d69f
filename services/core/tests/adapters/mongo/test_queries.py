"""Queries on a real database: filters, pages in order, and logs that are purged with their tasks."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from workerpool_core.adapters.mongo import queries
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.ports import ComputeLogs, TaskPosition, TaskQuery
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Replicate, Task
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
OTHER = "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"
UNKNOWN = TaskId("0x" + "ff" * 32)


@pytest.fixture
async def stored(
    store: Store, make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> list[Task]:
    """Store three tasks of deals 1 to 3; the first is RUNNING, and `WALLET` computed it."""
    tasks = [
        make_task(1, status=TaskStatus.RUNNING),
        make_task(2),
        make_task(3, requester=OTHER),
    ]
    writes: list[d.Write] = [d.TaskCreated(task) for task in tasks]
    writes += [
        d.ReplicateCreated(make_replicate(tasks[0])),
        d.LogsStored(tasks[0].task_id, WALLET, "out", "err"),
        d.LogsStored(tasks[0].task_id, OTHER, "out 2", ""),
    ]
    await store.apply(await store.append(1, store.encode(writes)))
    return tasks


def ids(tasks: list[Task]) -> list[TaskId]:
    return [task.task_id for task in tasks]


async def test_a_task_is_read_with_its_replicates(stored: list[Task]) -> None:
    found = await asyncio.to_thread(queries.task, stored[0].task_id)
    assert found is not None
    assert set(found.replicates) == {WALLET}
    assert await asyncio.to_thread(queries.task, UNKNOWN) is None


async def test_a_replicate_is_read_by_task_and_worker(stored: list[Task]) -> None:
    found = await asyncio.to_thread(queries.replicate, stored[0].task_id, WALLET)
    assert found is not None
    assert found.wallet == WALLET
    assert await asyncio.to_thread(queries.replicate, stored[0].task_id, OTHER) is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (TaskQuery(), [2, 1, 0]),
        (TaskQuery(statuses=("RUNNING",)), [0]),
        (TaskQuery(deal_id=f"0x{2:064x}"), [1]),
        (TaskQuery(requester=OTHER), [2]),
        (TaskQuery(wallet=WALLET), [0]),
        (TaskQuery(wallet=OTHER), []),
        (TaskQuery(id_head="0x"), [2, 1, 0]),
        (TaskQuery(id_head="0x", statuses=("RUNNING",)), [0]),
    ],
)
async def test_tasks_are_filtered_newest_deal_first(
    stored: list[Task], query: TaskQuery, found: list[int]
) -> None:
    tasks = await asyncio.to_thread(queries.tasks, query, None, 10)
    assert ids(tasks) == [stored[number].task_id for number in found]
    assert not any(task.replicates for task in tasks)


async def test_a_task_is_found_by_the_start_of_its_id(stored: list[Task]) -> None:
    for head, found in ((stored[1].task_id, [1]), (stored[1].task_id[:-1], [2, 1, 0])):
        tasks = await asyncio.to_thread(queries.tasks, TaskQuery(id_head=head), None, 10)
        assert ids(tasks) == [stored[number].task_id for number in found]
    assert await asyncio.to_thread(queries.tasks, TaskQuery(id_head="0x" + "f" * 64), None, 10) == []


async def test_a_page_continues_after_the_last_task_of_the_one_before(stored: list[Task]) -> None:
    (first,) = await asyncio.to_thread(queries.tasks, TaskQuery(), None, 1)
    position = TaskPosition(first.terms.block, first.terms.deal_id, first.index)
    rest = await asyncio.to_thread(queries.tasks, TaskQuery(), position, 10)
    assert ids([first, *rest]) == ids(stored[::-1])


async def test_statuses_and_the_newest_deal_are_counted(stored: list[Task]) -> None:
    assert await asyncio.to_thread(queries.status_counts) == {TaskStatus.RUNNING: 1, TaskStatus.RECEIVED: 2}
    assert await asyncio.to_thread(queries.latest_deal_block) == 3


async def test_logs_are_read_by_wallet_and_purged_after_the_final_deadline(stored: list[Task]) -> None:
    task = stored[0]
    both = [ComputeLogs(WALLET, "out", "err"), ComputeLogs(OTHER, "out 2", "")]
    assert await asyncio.to_thread(queries.logs, task.task_id) == both
    assert await asyncio.to_thread(queries.logs, task.task_id, OTHER) == both[1:]
    deadline = task.terms.final_deadline
    assert await asyncio.to_thread(queries.purge_logs, deadline) == 0
    assert await asyncio.to_thread(queries.purge_logs, deadline + 1) == 2
    assert await asyncio.to_thread(queries.logs, task.task_id) == []


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_pages_at_any_position_cover_bags_that_share_a_block(
    store: Store, make_task: Callable[..., Task], size: int
) -> None:
    tasks = [
        replace(make_task(deal, block=block), task_id=TaskId(f"0x{deal * 100 + index:064x}"), index=index)
        for deal, block in ((1, 5), (2, 9), (3, 9), (4, 7))
        for index in range(3)
    ]
    writes: list[d.Write] = [d.TaskCreated(task) for task in tasks]
    await store.apply(await store.append(1, store.encode(writes)))
    seen: list[Task] = []
    position: TaskPosition | None = None
    while page := await asyncio.to_thread(queries.tasks, TaskQuery(requester=WALLET), position, size):
        seen += page
        position = TaskPosition(page[-1].terms.block, page[-1].terms.deal_id, page[-1].index)
    expected = [(9, 2), (9, 3), (7, 4), (5, 1)]
    assert [(task.terms.block, int(task.terms.deal_id, 16)) for task in seen[::3]] == expected
    assert [task.index for task in seen] == [0, 1, 2] * 4


async def test_replicates_are_added_to_tasks_that_were_read_without(stored: list[Task]) -> None:
    tasks = await asyncio.to_thread(queries.tasks, TaskQuery(), None, 10)
    await asyncio.to_thread(queries.add_replicates, tasks)
    assert [set(task.replicates) for task in tasks] == [set(), set(), {WALLET}]
