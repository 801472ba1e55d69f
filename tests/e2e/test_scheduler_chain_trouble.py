"""The chain is unreachable for half a minute: running tasks complete afterwards."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import http_calls
import pytest
import pytest_asyncio
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

OUTAGE_SECONDS = 30
HEALTH_SECONDS = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with three workers, all of which a task of trust 5 needs."""
    async with Devnet(DevnetOptions(workers=3, trust=5)) as running:
        yield running


async def test_tasks_complete_after_a_chain_outage_that_health_reports(
    net: Devnet, requester: Requester
) -> None:
    tasks = await requester.buy("one", volume=3) + await requester.buy(trust=5)
    assert await chain_health(net) == "UP"
    net.chain.process.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    try:
        await becomes(net, "OUT_OF_SERVICE")
        while time.monotonic() - stopped < OUTAGE_SECONDS:
            assert await chain_health(net) == "OUT_OF_SERVICE"
            await asyncio.sleep(0.5)
    finally:
        net.chain.process.signal(signal.SIGCONT)

    await requester.follow(tasks)

    for task in tasks:
        assert (await requester.on_chain(task)).completed
    await becomes(net, "UP")


async def chain_health(net: Devnet) -> str:
    """Return the chain status in the health report of the scheduler, and check the HTTP status against the report."""
    answer = await http_calls.get(f"{net.services['core'].http}/actuator/health", timeout=HEALTH_SECONDS)
    said = answer.json()
    assert (answer.status == 200) is (said["status"] == "UP")
    return str(said["components"]["chain"]["status"])


async def becomes(net: Devnet, status: str) -> None:
    """Wait until the health report of the scheduler has this chain status."""
    async with asyncio.timeout(HEALTH_SECONDS):
        while True:
            if await chain_health(net) == status:
                return
            await asyncio.sleep(0.2)
