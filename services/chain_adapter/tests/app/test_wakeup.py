"""Requests that wake a loop."""

import asyncio

from workerpool_chain_adapter.app.wakeup import Wakeup


async def test_requests_before_the_wait_are_one_run() -> None:
    wakeup = Wakeup()
    wakeup.request()
    wakeup.request()
    async with asyncio.timeout(1):
        await wakeup.wait()
    waiting = asyncio.create_task(wakeup.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    wakeup.request()
    await waiting


async def test_the_wait_ends_after_its_time() -> None:
    async with asyncio.timeout(5):
        await Wakeup().wait(0.001)
