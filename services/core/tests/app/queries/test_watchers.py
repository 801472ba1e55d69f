"""A watcher of a task gets its newest state. Many watchers of one task cost one read per change."""

import asyncio
from collections.abc import Callable

import pytest
from patience import PATIENCE_S
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.domain.model import Task
from workerpool_core.errors import UnknownTask
from workerpool_poco.protocol.ids import TaskId

TASK = TaskId("0x1")
MakeTask = Callable[..., Task]


class Reads:
    """A store whose answers the test holds back."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.begun = 0
        self._answers = asyncio.Semaphore(0)

    async def __call__(self, task_id: str) -> Task:
        self.begun += 1
        await self._answers.acquire()
        return self.task

    def answer(self) -> None:
        self._answers.release()


@pytest.fixture
def reads(make_task: MakeTask) -> Reads:
    return Reads(make_task())


async def begun(reads: Reads, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while reads.begun < count:
            await asyncio.sleep(0)


async def test_concurrent_callers_share_one_read(reads: Reads) -> None:
    watchers = Watchers()
    asking = [asyncio.create_task(watchers.read(TASK, reads)) for _ in range(50)]
    await begun(reads, 1)
    asking.pop().cancel()
    reads.answer()
    assert await asyncio.gather(*asking) == [reads.task] * 49
    assert reads.begun == 1


async def test_a_read_that_started_before_a_change_gets_no_later_caller(reads: Reads) -> None:
    watchers = Watchers()
    early = asyncio.create_task(watchers.read(TASK, reads))
    await begun(reads, 1)
    watchers.moved(TASK)
    late = asyncio.create_task(watchers.read(TASK, reads))
    await begun(reads, 2)
    reads.answer()
    await early
    joined = asyncio.create_task(watchers.read(TASK, reads))
    reads.answer()
    await asyncio.gather(late, joined)
    assert reads.begun == 2


async def test_a_failed_read_reaches_its_waiters_only(reads: Reads) -> None:
    async def refuse(_task_id: str) -> Task:
        raise UnknownTask("no such task")

    watchers = Watchers()
    answers = await asyncio.gather(*(watchers.read(TASK, refuse) for _ in range(2)), return_exceptions=True)
    assert all(isinstance(answer, UnknownTask) for answer in answers)
    reads.answer()
    assert await watchers.read(TASK, reads) is reads.task


async def test_reads_of_different_versions_are_not_shared(reads: Reads) -> None:
    watchers = Watchers()
    asking = [asyncio.create_task(watchers.read(TASK, reads, version)) for version in (1, 1, 2, 2)]
    await begun(reads, 2)
    reads.answer()
    reads.answer()
    assert await asyncio.gather(*asking) == [reads.task] * 4
    assert reads.begun == 2


async def test_changes_while_the_first_one_settles_count_as_one() -> None:
    watchers, settling, settled = Watchers(), asyncio.Event(), asyncio.Event()

    async def settle() -> None:
        settling.set()
        await settled.wait()

    changes = watchers.follow(TASK, settle)
    await anext(changes)
    woken = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    watchers.moved(TASK)
    watchers.moved(TASK)
    async with asyncio.timeout(PATIENCE_S):
        await settling.wait()
        settled.set()
        await woken
        # This one may have come too late for the read that follows the wait.
        watchers.moved(TASK)
        await anext(changes)
    await changes.aclose()


async def test_a_change_while_another_settles_is_not_lost() -> None:
    watchers = Watchers()

    async def settle() -> None:
        if not late.is_set():
            late.set()
            watchers.moved(TASK)

    late = asyncio.Event()
    changes = watchers.follow(TASK, settle)
    await anext(changes)
    watchers.moved(TASK)
    async with asyncio.timeout(PATIENCE_S):
        await anext(changes)
        await anext(changes)
    await changes.aclose()
