"""Failures of background tasks end the process, through the supervisor."""

import asyncio
import gc
from collections.abc import Iterator

import pytest
from patience import PATIENCE_S
from structlog.testing import capture_logs
from workerpool_kit.process import Lifetime
from workerpool_kit.runtime import tasks
from workerpool_kit.runtime.tasks import end_tasks, start_task, supervise_with


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    before = tasks._on_failure[:]
    yield
    tasks._on_failure[:] = before


async def fail() -> None:
    raise RuntimeError("boom")


async def test_a_failed_task_ends_the_process() -> None:
    lifetime = Lifetime()
    supervise_with(lifetime.task_failed)
    start_task(fail(), name="demo")
    await asyncio.wait_for(lifetime.stopped(), PATIENCE_S)
    assert str(lifetime.failure) == "boom"


async def test_a_cancelled_or_finished_task_ends_nothing() -> None:
    lifetime = Lifetime()
    supervise_with(lifetime.task_failed)
    endless = start_task(asyncio.Event().wait(), name="endless")
    value = start_task(asyncio.sleep(0, "value"), name="value")
    assert await value == "value"
    endless.cancel()
    await asyncio.wait({endless})
    await asyncio.sleep(0)
    assert not lifetime.stopping


async def test_a_failure_during_the_stop_does_not_change_the_exit_code() -> None:
    lifetime = Lifetime()
    supervise_with(lifetime.task_failed)
    lifetime.stop("test")
    await asyncio.wait({start_task(fail(), name="demo")})
    await asyncio.sleep(0)
    assert lifetime.failure is None


async def test_without_a_supervisor_the_failure_is_logged() -> None:
    tasks._on_failure.clear()
    with capture_logs() as events:
        await asyncio.wait({start_task(fail(), name="demo")})
        await asyncio.sleep(0)
    assert [(event["event"], event["task"]) for event in events] == [("task.failed", "demo")]


async def test_a_task_without_references_runs_to_its_end() -> None:
    done = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.set()

    start_task(work(), name="demo")
    gc.collect()
    await asyncio.wait_for(done.wait(), PATIENCE_S)


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    """A library may turn a cancellation into an error of its own, which the task handles as a failed call."""
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed += 1

    task = start_task(stubborn(), name="stubborn")
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await end_tasks(task)
    assert task.cancelled()
    assert swallowed == 1


async def test_ended_tasks_keep_their_results() -> None:
    value = start_task(asyncio.sleep(0, "value"), name="value")
    await value
    await end_tasks(value)
    assert value.result() == "value"
