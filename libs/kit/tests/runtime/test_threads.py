"""Blocking calls in daemon threads that serve one call after the other."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import pytest
from workerpool_kit.runtime import threads
from workerpool_kit.runtime.threads import in_daemon_thread

LIMIT_S = 30.0


@pytest.fixture(autouse=True)
def own_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the test threads of its own, which end right after it."""
    monkeypatch.setattr(threads, "_IDLE_S", 0.05)
    monkeypatch.setattr(threads, "_threads", threads._Threads())
    yield
    for thread in threading.enumerate():
        if thread.name == threads._IDLE_NAME:
            thread.join(LIMIT_S)


async def idle() -> None:
    """Wait until the thread of the last call takes another one."""
    async with asyncio.timeout(LIMIT_S):
        while not threads._threads._idle:
            await asyncio.sleep(0)


async def test_one_call_after_the_other_runs_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_IDLE_S", LIMIT_S)
    first = await in_daemon_thread(threading.current_thread)
    await idle()
    assert await in_daemon_thread(threading.current_thread) is first
    assert first.daemon
    monkeypatch.setattr(threads, "_IDLE_S", 0.01)
    await idle()
    await in_daemon_thread(int)


async def test_a_call_that_hangs_delays_no_other() -> None:
    free = threading.Event()
    hanging = [asyncio.create_task(in_daemon_thread(lambda: free.wait(LIMIT_S))) for _ in range(3)]
    assert await asyncio.gather(*(in_daemon_thread(partial(int, n)) for n in range(3))) == [0, 1, 2]
    free.set()
    assert await asyncio.gather(*hanging) == [True] * 3


async def test_a_thread_has_the_name_of_its_call() -> None:
    assert (await in_daemon_thread(lambda: threading.current_thread().name, name="some-call")) == "some-call"
    await idle()
    assert "some-call" not in {thread.name for thread in threading.enumerate()}


async def test_every_error_reaches_the_caller_and_the_thread_goes_on() -> None:
    def fail() -> None:
        raise SystemExit("from a library")

    with pytest.raises(SystemExit):
        await in_daemon_thread(fail)
    assert await in_daemon_thread(lambda: 1) == 1


async def test_an_idle_thread_ends() -> None:
    thread = await in_daemon_thread(threading.current_thread)
    await asyncio.to_thread(thread.join, LIMIT_S)
    assert not thread.is_alive()
    assert await in_daemon_thread(threading.current_thread) is not thread


async def test_a_call_that_meets_the_end_of_a_thread_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread has waited long enough, and gets work before it can leave."""
    tired, given = threading.Event(), threading.Event()

    class SlowQueue(SimpleQueue[Any]):
        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            try:
                return super().get(block, timeout)
            except Empty:
                tired.set()
                given.wait(LIMIT_S)
                raise

    monkeypatch.setattr(threads, "SimpleQueue", SlowQueue)
    await in_daemon_thread(int)
    await asyncio.to_thread(tired.wait, LIMIT_S)
    call = asyncio.create_task(in_daemon_thread(lambda: 2))
    await asyncio.sleep(0)
    given.set()
    assert await call == 2
