"""Ended tasks are removed step by step; an outage of the database only delays it."""

import asyncio

from patience import PATIENCE_S
from workerpool_core.app.maintenance.retention import remove_ended_tasks_hourly
from workerpool_core.domain.policy import Policy
from workerpool_kit.clock import FakeClock
from workerpool_kit.errors import DatabaseUnavailable

DAY_S = 86_400


class EndedTasks:
    """A store with tasks to remove, which is away at the second step."""

    def __init__(self) -> None:
        self.answers: list[int | None] = [500, None, 20, 0]
        self.dates: list[float] = []
        self.done = asyncio.Event()

    async def remove_ended_tasks(self, policy: Policy, before: float) -> int:
        self.dates.append(before)
        answer = self.answers.pop(0)
        if answer is None:
            raise DatabaseUnavailable("no primary")
        if not answer:
            self.done.set()
        return answer


async def test_what_is_due_is_removed_at_the_start() -> None:
    store, clock = EndedTasks(), FakeClock()
    removing = asyncio.create_task(
        remove_ended_tasks_hourly(store, Policy(), clock, retention_s=90 * DAY_S, retry_s=0.001)
    )
    async with asyncio.timeout(PATIENCE_S):
        await store.done.wait()
    assert store.dates == [clock.now() - 90 * DAY_S] * 4
    assert not removing.done()
    removing.cancel()
