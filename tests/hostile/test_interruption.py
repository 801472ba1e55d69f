"""An interrupted run is judged so far, and has not passed."""

import asyncio
import os
import signal

import pytest
from workerpool_devnet.processes.signals import until_signalled

from hostile.report import Report
from hostile.run import ended_before


async def test_work_that_ends_first_is_not_interrupted() -> None:
    interrupt = asyncio.Event()
    assert await ended_before(asyncio.sleep(0), interrupt)


async def test_an_interruption_cancels_the_work_and_waits_for_its_cleanup() -> None:
    interrupt, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            interrupt.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    assert not await ended_before(work(), interrupt)
    assert cleaned.is_set()


async def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> None:
        raise RuntimeError("the chain is gone")

    with pytest.raises(RuntimeError, match="the chain is gone"):
        await ended_before(work(), asyncio.Event())


async def test_the_first_signal_interrupts_and_the_second_cancels() -> None:
    interrupt = asyncio.Event()

    async def work() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await interrupt.wait()
        return "judged"

    assert await until_signalled(work(), first=interrupt.set) == "judged"

    async def stubborn() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await interrupt.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        return "judged"

    interrupt.clear()
    assert await until_signalled(stubborn(), first=interrupt.set) is None


@pytest.mark.parametrize(
    ("interrupted", "verdict"), [(False, "passed: seed 7"), (True, "INTERRUPTED: seed 7")]
)
def test_an_interrupted_run_has_a_verdict_and_has_not_passed(interrupted: bool, verdict: str) -> None:
    report = Report(7, {}, interrupted=interrupted)
    assert report.passed is not interrupted
    assert report.lines()[-1].startswith(verdict)
