"""Work that outlives a cancelled caller."""

import asyncio

import pytest
from workerpool_result_proxy.app.completion import run_to_completion


async def test_the_result_is_returned() -> None:
    async def work() -> int:
        return 7

    assert await run_to_completion(work()) == 7


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_caller_waits_for_the_end_of_the_work(fails: bool) -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        done.set()
        if fails:
            raise ValueError("the work failed")

    caller = asyncio.create_task(run_to_completion(work()))
    await begun.wait()
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done.is_set()


async def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> None:
        raise ValueError("the work failed")

    with pytest.raises(ValueError, match="the work failed"):
        await run_to_completion(work())
