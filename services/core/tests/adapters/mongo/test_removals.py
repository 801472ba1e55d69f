"""Ended tasks are removed after their retention, on a real database."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from workerpool_core.adapters.mongo import removals
from workerpool_core.adapters.mongo.documents import ReplicateDocument, TaskLogsDocument
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.ports import TaskQuery
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Replicate, Task, TaskChange
from workerpool_core.domain.policy import Policy
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

MakeTask = Callable[..., Task]
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
POLICY = Policy()
FINAL_BLOCK = 10


def ended(
    task: Task,
    status: TaskStatus = TaskStatus.COMPLETED,
    *,
    final_block: int = FINAL_BLOCK,
    claim_due: bool = False,
) -> Task:
    """Return a task that ended at its match, in a block beyond the reach of reorganisations."""
    change = TaskChange(status, task.terms.start_time)
    return replace(task, history=[*task.history, change], final_block=final_block, claim_due=claim_due)


async def write(store: Store, *writes: d.Write) -> None:
    await store.apply(await store.append(1, store.encode(writes)))


async def stored(store: Store) -> set[TaskId]:
    return {task.task_id for task in await store.tasks(TaskQuery(), None, 100)}


@pytest.fixture
def moved() -> d.CursorMoved:
    """The cursor of a core that followed the chain far beyond the ends of the tasks."""
    return d.CursorMoved(FINAL_BLOCK + POLICY.reorganisation_blocks + 1, "")


async def test_an_ended_task_goes_with_its_replicates_and_logs_once_its_final_deadline_is_old(
    store: Store,
    database: Database,
    make_task: MakeTask,
    make_replicate: Callable[..., Replicate],
    moved: d.CursorMoved,
) -> None:
    old, later = ended(make_task(1)), ended(make_task(2))
    later.terms = replace(later.terms, final_deadline=later.terms.final_deadline + 1)
    writes: list[d.Write] = [moved]
    for task in (old, later):
        writes += [d.TaskCreated(task), d.ReplicateCreated(make_replicate(task))]
        writes.append(d.LogsStored(task.task_id, WALLET, "out", "err"))
    await write(store, *writes)

    assert await store.remove_ended_tasks(POLICY, old.terms.final_deadline) == 0
    assert await store.remove_ended_tasks(POLICY, later.terms.final_deadline) == 1
    assert await store.remove_ended_tasks(POLICY, later.terms.final_deadline) == 0
    assert await stored(store) == {later.task_id}
    assert await store.replicate(old.task_id, WALLET) is None
    assert await store.logs(old.task_id) == []
    assert await store.replicate(later.task_id, WALLET) is not None
    assert len(await store.logs(later.task_id)) == 1
    for model in (ReplicateDocument, TaskLogsDocument):
        assert await database.run(model.objects.count) == 1


async def test_a_removed_task_still_counts(store: Store, make_task: MakeTask, moved: d.CursorMoved) -> None:
    tasks = [
        ended(make_task(1)),
        ended(make_task(2), TaskStatus.FAILED),
        ended(make_task(3)),
        make_task(4, status=TaskStatus.RUNNING),
    ]
    for number, task in enumerate(tasks):
        task.terms = replace(task.terms, final_deadline=task.terms.final_deadline + number)
    await write(store, moved, *(d.TaskCreated(task) for task in tasks))
    before = await store.status_counts()
    removed = [await store.remove_ended_tasks(POLICY, task.terms.final_deadline + 1) for task in tasks[:3]]
    assert removed == [1, 1, 1]
    assert await stored(store) == {tasks[3].task_id}
    assert await store.status_counts() == before
    assert before == {TaskStatus.COMPLETED: 2, TaskStatus.FAILED: 1, TaskStatus.RUNNING: 1}


async def test_very_many_tasks_are_removed_in_steps(
    store: Store, make_task: MakeTask, moved: d.CursorMoved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "_AT_ONCE", 2)
    tasks = [ended(make_task(number)) for number in range(1, 4)]
    await write(store, moved, *(d.TaskCreated(task) for task in tasks))
    due = tasks[0].terms.final_deadline + 1
    assert [await store.remove_ended_tasks(POLICY, due) for _ in range(3)] == [2, 1, 0]
    assert await store.status_counts() == {TaskStatus.COMPLETED: 3}


async def test_the_newest_deal_is_still_known(
    store: Store, make_task: MakeTask, moved: d.CursorMoved
) -> None:
    tasks = [ended(make_task(number)) for number in (1, 7)]
    await write(store, moved, *(d.TaskCreated(task) for task in tasks))
    assert await store.remove_ended_tasks(POLICY, tasks[1].terms.final_deadline + 1) == 2
    assert await store.latest_deal_block() == 7


@pytest.mark.parametrize(
    "made",
    [
        lambda make: make(status=TaskStatus.RUNNING),
        lambda make: ended(make(), TaskStatus.FAILED, claim_due=True),
        lambda make: ended(make(), final_block=0),
        lambda make: ended(make(), final_block=FINAL_BLOCK + 10**6),
    ],
    ids=["live", "awaits its claim", "awaits its finalization", "within reach of a reorganisation"],
)
async def test_a_task_that_a_start_loads_stays(
    store: Store, make_task: MakeTask, moved: d.CursorMoved, made: Callable[[MakeTask], Task]
) -> None:
    task = made(make_task)
    await write(store, moved, d.TaskCreated(task))
    date = task.terms.final_deadline + 10**9
    assert [each.task_id for each in (await store.snapshot(POLICY, date)).tasks] == [task.task_id]
    assert await store.remove_ended_tasks(POLICY, date) == 0
    assert await stored(store) == {task.task_id}
