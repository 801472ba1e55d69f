"""Queries fail within their timeout while the database is down. A held task is returned once it is durable."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.ports import TaskQuery
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.domain.model import Task, TaskChange
from workerpool_core.errors import UnknownTask
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

MakeTask = Callable[..., Task]
TASK = TaskId("0x" + "ab" * 32)
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


class StuckCommit:
    """A group commit whose journal takes what the test releases, and whose collections do not catch up."""

    def __init__(self, stalled_s: float = 0.0) -> None:
        self.released = asyncio.Event()
        self._stalled_s = stalled_s

    def stalled_s(self) -> float:
        return self._stalled_s

    async def visible(self) -> None:
        await asyncio.Event().wait()

    async def durable(self) -> None:
        await self.released.wait()


class VisibleCommit:
    """A group commit whose collections follow the journal."""

    def stalled_s(self) -> float:
        return 0.0

    async def visible(self) -> None:
        """Return at once."""


@pytest.fixture
def queries(store: Store) -> TaskQueries:
    commit: Any = StuckCommit()
    return TaskQueries(store, commit, Watchers(), LiveLogs({}), {}, timeout_s=0.01)


async def test_every_query_fails_during_an_outage(queries: TaskQueries) -> None:
    for question in (
        queries.task(TASK),
        queries.replicate(TASK, WALLET),
        queries.tasks(TaskQuery(), "", 10),
        queries.logs(TASK),
    ):
        with pytest.raises(DatabaseUnavailable):
            await question


@pytest.mark.parametrize(("retention_s", "told"), [(None, False), (90 * 86_400.0, True)])
async def test_an_unknown_task_may_have_been_removed(
    store: Store, retention_s: float | None, told: bool
) -> None:
    commit: Any = VisibleCommit()
    queries = TaskQueries(store, commit, Watchers(), LiveLogs({}), {}, retention_s=retention_s)
    with pytest.raises(UnknownTask) as refused:
        await queries.task(TASK)
    said = "This pool removes tasks 90 days after their final deadline" in refused.value.message
    assert said is told


async def test_a_held_task_is_told_as_it_was_once_that_is_durable(store: Store, make_task: MakeTask) -> None:
    task, stuck, watchers = make_task(), StuckCommit(), Watchers()
    commit: Any = stuck
    queries = TaskQueries(store, commit, watchers, LiveLogs({}), {task.task_id: task})
    asking = asyncio.create_task(queries.task(task.task_id))
    watching = aiter(queries.follow(task.task_id))
    first = asyncio.ensure_future(anext(watching))
    await asyncio.sleep(0)
    # Not durable when the questions came.
    task.history.append(TaskChange(TaskStatus.INITIALIZING, 1.0))
    await asyncio.sleep(0)
    assert not asking.done()
    assert not first.done()
    stuck.released.set()
    assert [(await each).status for each in (asking, first)] == [TaskStatus.RECEIVED] * 2
    watchers.moved(task.task_id)
    assert (await anext(watching)).status is TaskStatus.INITIALIZING


async def test_a_held_task_is_not_told_while_the_journal_is_stuck(store: Store, make_task: MakeTask) -> None:
    task = make_task()
    commit: Any = StuckCommit()
    queries = TaskQueries(store, commit, Watchers(), LiveLogs({}), {task.task_id: task}, timeout_s=0.01)
    with pytest.raises(DatabaseUnavailable):
        await queries.task(task.task_id)
    with pytest.raises(DatabaseUnavailable):
        await anext(aiter(queries.follow(task.task_id)))


async def test_a_long_outage_is_told_at_once(store: Store, make_task: MakeTask) -> None:
    task = make_task()
    commit: Any = StuckCommit(stalled_s=75.0)
    queries = TaskQueries(store, commit, Watchers(), LiveLogs({}), {task.task_id: task}, timeout_s=60.0)
    for question in (queries.task(task.task_id), queries.logs(TASK), queries.wait_durable()):
        with pytest.raises(DatabaseUnavailable, match="the database has not answered core for 75 s"):
            await asyncio.wait_for(question, 10.0)
