"""The scheduler's background tasks end with it, and its last decisions get a bounded time."""

import asyncio
from typing import Any, cast

import pytest
from patience import PATIENCE_S
from workerpool_core.composition import scheduler


class Commit:
    """A group commit that is drained when `open` is set."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def drained(self) -> None:
        await self.open.wait()


async def test_every_background_task_is_cancelled_also_one_that_failed() -> None:
    async def fail() -> None:
        raise RuntimeError("failed before")

    waiting = asyncio.create_task(asyncio.Event().wait())
    failed = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await scheduler._end([waiting, failed])
    assert waiting.cancelled()
    assert failed.done()


async def test_the_last_decisions_are_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    commit = Commit()
    asyncio.get_running_loop().call_soon(commit.open.set)
    await scheduler._drain(cast(Any, commit))
    assert commit.open.is_set()


async def test_a_database_that_never_answers_does_not_keep_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler, "_DRAIN_LIMIT_S", 0.01)
    await asyncio.wait_for(scheduler._drain(cast(Any, Commit())), PATIENCE_S)
