"""The chain goes away for half a minute, or takes back what it said: tasks that are under way complete all the same."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio
from e2e import history
from workerpool_devnet.demo.follow import Progress
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions, workers_needed
from workerpool_poco.statuses import ReplicateStatus as R
from workerpool_poco.statuses import TaskStatus as T
from workerpool_protocol.core.v1.task_pb2 import Task

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

OUTAGE_SECONDS = 30
HEALTH_SECONDS = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """A pool with three workers, so that a task of trust 5 needs them all."""
    async with Devnet(DevnetOptions(workers=3, trust=5)) as running:
        yield running


async def test_tasks_complete_after_a_chain_outage_that_health_tells(net: Devnet, requester) -> None:
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


def first_contribution(task: Task) -> int:
    """Block of the first contribution that the scheduler knows of; 0 before there is one."""
    return _first(task, R.CONTRIBUTED)


def _first(task: Task, wanted: R) -> int:
    blocks = [
        change.chain_receipt.block_number
        for replicate in task.replicates
        for change, status in zip(replicate.history, history.of_replicate(replicate), strict=True)
        if status is wanted
    ]
    return min(filter(None, blocks), default=0)


def consensus(task: Task) -> int:
    """Block of the consensus; 0 before there is one."""
    return int(task.consensus_block)


def first_reveal(task: Task) -> int:
    """Block of the first reveal; 0 before there is one."""
    return _first(task, R.REVEALED)


def everything(task: Task) -> int:
    """Block of the initialization, once there is a contribution; 0 before."""
    return int(task.initialization_block) if first_contribution(task) else 0


@pytest.mark.parametrize(
    ("trust", "vanishing"),
    [(5, first_contribution), (1, consensus), (5, consensus), (3, first_reveal), (3, everything)],
    ids=[
        "the first of three contributions",
        "the only contribution",
        "the consensus of three",
        "the first reveal",
        "all but the deal",
    ],
)
async def test_a_task_completes_when_a_reorganisation_takes_contributions_back(
    net: Devnet, requester, trust: int, vanishing: Callable[[Task], int]
) -> None:
    (task,) = await requester.buy(trust=trust)
    reverted: list[int] = []

    def reorganise_once(progress: Progress) -> None:
        block = vanishing(progress.tasks[task])
        if block and not reverted:
            depth = int(net.chain.rpc.call("eth_blockNumber"), 16) - block + 1
            net.chain.rpc.call("anvil_reorg", depth, [])
            reverted.append(block)

    progress = await requester.follow([task], reorganise_once)

    assert reverted, "nothing was there to be taken back"
    record = await requester.on_chain(task)
    assert record.completed
    assert history.of_task(progress.tasks[task])[-1] is T.COMPLETED
    contributions = workers_needed(trust)
    assert record.counts() == (
        f"1 initialize, {contributions} contribute, {contributions} reveal, 1 finalize"
    )


async def chain_health(net: Devnet) -> str:
    """What the scheduler's health says of the chain, once the scheduler answers with what it says itself."""
    async with httpx.AsyncClient(trust_env=False, timeout=HEALTH_SECONDS) as http:
        answer = await http.get(f"{net.services['core'].http}/actuator/health")
    said = answer.json()
    assert (answer.status_code == httpx.codes.OK) is (said["status"] == "UP")
    return str(said["components"]["chain"]["status"])


async def becomes(net: Devnet, status: str) -> None:
    """Wait until the scheduler's health says this of the chain."""
    async with asyncio.timeout(HEALTH_SECONDS):
        while True:
            if await chain_health(net) == status:
                return
            await asyncio.sleep(0.2)
