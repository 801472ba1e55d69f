"""A sequencer chain without blocks is healthy: silence is no outage, and deadlines pass in it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import http_calls
import pytest
import pytest_asyncio
from sequencer.pool import ShapedPool, shaped_pool
from workerpool_devnet.devnet import Devnet
from workerpool_poco.protocol.statuses import ChainTaskStatus

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

LONGER_THAN_EVERY_THRESHOLD_S = 40.0
TEN_MINUTES_S = 600.0
SERVED_WITHIN_S = 30.0
CLAIMED_WITHIN_S = 90.0
"""The final deadline is 20 s after the match."""
LOUD = ("warning", "error", "critical")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shaped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ShapedPool]:
    """Run a pool on the sequencer shape, where nothing restarts by itself."""
    log = tmp_path_factory.mktemp("node") / "proxy.log"
    async with shaped_pool("sequencer", proxy_log=log, workers=3, trust=5) as pool:
        yield pool


@pytest.mark.full
async def test_a_silence_leaves_the_pool_healthy_and_the_next_deal_is_served(
    net: Devnet, requester: Requester
) -> None:
    await serve_after_a_silence(net, requester, LONGER_THAN_EVERY_THRESHOLD_S)


@pytest.mark.soak
async def test_ten_minutes_of_silence_leave_the_pool_healthy(net: Devnet, requester: Requester) -> None:
    await serve_after_a_silence(net, requester, TEN_MINUTES_S)


@pytest.mark.full
async def test_a_final_deadline_passes_without_a_block(net: Devnet, requester: Requester) -> None:
    workers = [service for service in net.services.values() if service.is_worker]
    for worker in workers:
        worker.stop_for_good()
    try:
        (task,) = await requester.buy(category="DEV-2S")
        async with asyncio.timeout(CLAIMED_WITHIN_S):
            while (await requester.on_chain(task)).task.status is not ChainTaskStatus.FAILED:
                await asyncio.sleep(0.2)
    finally:
        await asyncio.gather(*(worker.restart() for worker in workers))


async def serve_after_a_silence(net: Devnet, requester: Requester, seconds: float) -> None:
    """Complete a task, leave the chain without blocks, check health and logs, and complete another task."""
    await requester.follow(await requester.buy())
    head, logged = block_number(net), log_sizes(net)

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for service in net.services.values():
            health = await http_calls.get(f"{service.http}/actuator/health", timeout=10)
            assert health.json()["status"] == "UP", (service.name, health.json())
        await asyncio.sleep(1)

    assert block_number(net) == head, "the chain was not silent"
    assert not loud_lines(net, logged)
    bought = time.monotonic()
    (task,) = await requester.buy()
    await requester.follow([task])
    assert (await requester.on_chain(task)).completed
    assert time.monotonic() - bought < SERVED_WITHIN_S


def block_number(net: Devnet) -> int:
    return int(net.chain.rpc.call("eth_blockNumber"), 16)


def log_sizes(net: Devnet) -> dict[str, int]:
    return {name: service.process.log.stat().st_size for name, service in net.services.items()}


def loud_lines(net: Devnet, since: dict[str, int]) -> list[str]:
    """Return the warnings, the errors and whatever is no log event, since a size of each log."""
    found = []
    for name, service in net.services.items():
        with service.process.log.open() as log:
            log.seek(since[name])
            found += [f"{name}: {line}" for line in log if is_loud(line)]
    return found


def is_loud(line: str) -> bool:
    try:
        return json.loads(line)["level"] in LOUD
    except (ValueError, KeyError):
        return True
