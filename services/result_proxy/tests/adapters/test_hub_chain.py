"""The contract of `ChainView`, over a real node and over memory; and the check of the node."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from patience import PATIENCE_S
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.dependencies.report import Dependency, DependencyReport
from workerpool_kit.health import Health
from workerpool_kit.process import StartupError
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_result_proxy.adapters.hub_chain import HubView
from workerpool_result_proxy.app.ports import ChainView
from workerpool_result_proxy.errors import ChainUnreachable

from services.result_proxy.tests.doubles.chain import MemoryChain

TASK, DEAL = TaskId("0x" + "09" * 32), DealId("0x" + "08" * 32)


async def verified(view: HubView, health: Health) -> "asyncio.Task[None]":
    """Start the check of a view and wait until the node is verified."""
    watch = asyncio.create_task(view.watch())
    async with asyncio.timeout(PATIENCE_S):
        while not watch.done() and not health.is_up:
            await asyncio.sleep(0.01)
    return watch


def report(health: Health) -> DependencyReport:
    return DependencyReport(health, Dependency("chain", "NODE", "http://node", "start it"))


@pytest.fixture(params=["node", "memory"])
async def view(request: pytest.FixtureRequest) -> AsyncIterator[ChainView]:
    if request.param == "memory":
        yield MemoryChain()
        return
    chain: PocoChain = request.getfixturevalue("poco_chain")
    hub, health = HubClient(chain.url, chain.hub, chain_id=chain.chain_id), Health()
    found = HubView(hub, report(health))
    watch = await verified(found, health)
    yield found
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    await hub.close()


async def test_what_is_not_on_chain_reads_as_zeros(view: ChainView) -> None:
    task, deal = await view.task(TASK), await view.deal(DEAL)
    contribution = await view.contribution(TASK, "0x" + "11" * 20)
    assert (task.status, task.final_deadline, task.deal_id) == (ChainTaskStatus.UNSET, 0, "0x" + "00" * 32)
    assert (deal.exists, deal.workerpool.owner) == (False, ZERO_ADDRESS)
    assert (contribution.status, contribution.result_hash) == (ContributionStatus.UNSET, bytes(32))


@pytest.fixture(params=["node", "memory"])
async def unreachable(request: pytest.FixtureRequest) -> AsyncIterator[ChainView]:
    """Return a view whose node does not answer."""
    if request.param == "memory":
        memory = MemoryChain()
        memory.reachable = False
        yield memory
        return
    hub = HubClient(f"http://127.0.0.1:{free_port()}", "0x" + "11" * 20, attempts=1)
    yield HubView(hub, report(Health()))
    await hub.close()


async def test_an_unreachable_node_is_an_error_that_passes(unreachable: ChainView) -> None:
    for read in (
        unreachable.task(TASK),
        unreachable.deal(DEAL),
        unreachable.contribution(TASK, ZERO_ADDRESS),
    ):
        with pytest.raises(ChainUnreachable, match="try again later"):
            await read


async def test_another_hub_ends_the_process(poco_chain: PocoChain) -> None:
    hub = HubClient(poco_chain.url, "0x" + "11" * 20, chain_id=poco_chain.chain_id)
    with pytest.raises(StartupError, match="no PoCo hub at"):
        await HubView(hub, report(Health())).watch()
    await hub.close()


async def test_a_node_of_another_chain_is_named_and_not_read(poco_chain: PocoChain) -> None:
    hub, health = HubClient(poco_chain.url, poco_chain.hub, chain_id=1), Health()
    found = HubView(hub, report(health))
    watch = asyncio.create_task(found.watch())
    async with asyncio.timeout(PATIENCE_S):
        while "serves chain" not in str(health.snapshot()):
            await asyncio.sleep(0.01)
    with pytest.raises(ChainUnreachable, match="try again later"):
        await found.task(TASK)
    watch.cancel()
    await asyncio.wait({watch})
    await hub.close()
