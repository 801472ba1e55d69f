"""A start after an operator has deleted the cursor or dropped the journal."""

from collections.abc import Callable

from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.ports import Cursor
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Task, TaskChange
from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.statuses import TaskStatus

NOW = 1_700_000_000.5
MakeTask = Callable[..., Task]


async def write(store: Store, number: int, *writes: d.Write) -> None:
    """Make writes durable as entry `number` and apply them."""
    await store.apply(await store.append(number, store.encode(writes)))


async def test_a_deleted_cursor_stays_deleted(database: Database, store: Store) -> None:
    await write(store, 1, d.CursorMoved(12, "0xaa"))
    database.db["cursor"].delete_many({})
    assert await Store(database).recover() == 1
    assert await store.cursor() is None


async def test_the_writes_beside_a_deleted_cursor_are_replayed(
    database: Database, store: Store, make_task: MakeTask
) -> None:
    task = make_task()
    await store.append(1, store.encode([d.TaskCreated(task), d.CursorMoved(12, "0xaa")]))
    assert await Store(database).recover() == 1
    assert await store.task(task.task_id) is not None
    assert await store.cursor() is None


async def test_a_stored_cursor_is_replayed(database: Database, store: Store) -> None:
    await write(store, 1, d.CursorMoved(12, "0xaa"))
    await store.append(2, store.encode([d.CursorMoved(13, "0xbb")]))
    assert await Store(database).recover() == 2
    assert await store.cursor() == Cursor(13, "0xbb")


async def test_changes_after_a_dropped_journal_reach_the_collections(
    database: Database, store: Store, make_task: MakeTask
) -> None:
    task = make_task()
    await write(store, 1, d.TaskCreated(task))
    initializing = TaskChange(TaskStatus.INITIALIZING, NOW)
    await write(store, 7, d.TaskChanged(task.task_id, TaskStatus.RECEIVED, (initializing,)))
    database.db["journal"].drop()
    restarted = Store(database)
    newest = await restarted.recover()
    assert newest == 7
    initialized = TaskChange(TaskStatus.INITIALIZED, NOW + 1)
    await write(restarted, newest + 1, d.TaskChanged(task.task_id, TaskStatus.INITIALIZING, (initialized,)))
    found = await restarted.task(task.task_id)
    assert found is not None
    assert found.status is TaskStatus.INITIALIZED


async def test_a_journal_older_than_the_collections_is_continued_above_their_numbers(
    database: Database, store: Store
) -> None:
    await write(store, 3, d.CursorMoved(12, "0xaa"))
    await write(store, 9, d.CursorMoved(13, "0xbb"))
    database.db["journal"].delete_one({"_id": 9})
    assert await Store(database).recover() == 9
