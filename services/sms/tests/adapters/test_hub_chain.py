"""The `ChainView` port over the real contracts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_devnet.market.trading import Market
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.chain.verified_node import NodeErrors, VerifiedNode
from workerpool_kit.dependencies.report import Dependency, DependencyReport
from workerpool_kit.health import Health
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import HubNotFound, MalformedAnswer, PocoError, WrongChain
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.orders import DatasetOrder
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_sms.adapters.hub_chain import HubView
from workerpool_sms.errors import ChainUnreachable

ERRORS = NodeErrors(PocoError, WrongChain, HubNotFound)
DEAL = DealId("0x" + "08" * 32)


def node_of(hub: HubClient, health: Health) -> VerifiedNode:
    report = DependencyReport(health, Dependency("chain", "NODE", "http://node", "start it"))
    return VerifiedNode(report, connect=hub.connect, probe=hub.block_number, errors=ERRORS)


@pytest.fixture
async def view(poco_chain: PocoChain) -> AsyncIterator[HubView]:
    hub, health = HubClient(poco_chain.url, poco_chain.hub, chain_id=poco_chain.chain_id), Health()
    node = node_of(hub, health)
    watching = asyncio.create_task(node.watch())
    async with asyncio.timeout(PATIENCE_S):
        while not node.verified:
            await asyncio.sleep(0.01)
    assert health.is_up
    yield HubView(hub, node)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await hub.close()


async def test_the_owner_of_a_contract_is_read_and_others_have_none(
    view: HubView, poco_chain: PocoChain
) -> None:
    market, owner = Market(poco_chain.chain.rpc, poco_chain.contracts), poco_chain.account("requester")
    app = market.create_app(owner, "sms-owner", "image:sms-owner")
    dataset = market.create_dataset(owner, "sms-owner", "https://data.example/2", checksum=bytes([2] * 32))
    assert await view.owner(app) == owner.address
    assert await view.owner(dataset) == owner.address
    assert (await view.app(app)).multiaddr == "image:sms-owner"
    assert (await view.dataset(dataset)).multiaddr == "https://data.example/2"
    assert await view.owner(owner.address) is None, "an account is no contract"
    assert await view.owner("0x" + "12" * 20) is None


async def test_the_deposit_of_a_wallet_is_read(view: HubView, poco_chain: PocoChain) -> None:
    assert await view.deposit(poco_chain.account("requester").address) > 0
    assert await view.deposit("0x" + "12" * 20) == 0


async def test_reads_that_any_caller_causes_hold_back_no_other_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A flood of them would fill the queue of calls of a node with a limited rate."""
    hub = HubClient("http://127.0.0.1:1", "0x" + "11" * 20)
    asked, answer = [], asyncio.Event()

    async def reading(function: str) -> Any:
        asked.append(function)
        await answer.wait()
        raise MalformedAnswer(function)

    monkeypatch.setattr(hub, "contract_owner", lambda _: reading("owner"))
    monkeypatch.setattr(hub, "view_task", lambda _: reading("task"))
    node = node_of(hub, Health())
    node.verified = True
    view = HubView(hub, node)
    flood = [asyncio.create_task(view.owner("0x" + "11" * 20)) for _ in range(50)]
    task = asyncio.create_task(view.task(TaskId("0x" + "09" * 32)))
    async with asyncio.timeout(PATIENCE_S):
        while "task" not in asked:
            await asyncio.sleep(0)
    assert asked.count("owner") <= 8
    answer.set()
    assert await asyncio.gather(*flood) == [None] * 50
    await asyncio.gather(task, return_exceptions=True)
    await hub.close()


async def test_what_is_not_on_chain_reads_as_zeros(view: HubView) -> None:
    task, deal = await view.task(TaskId("0x" + "09" * 32)), await view.deal(DEAL)
    assert (task.status, deal.exists) == (ChainTaskStatus.UNSET, False)
    assert not await view.fits_deal(DatasetOrder(dataset="0x" + "12" * 20), DEAL)


async def test_an_unreachable_node_is_an_error_that_passes() -> None:
    hub = HubClient(f"http://127.0.0.1:{free_port()}", "0x" + "11" * 20, attempts=1)
    view = HubView(hub, node_of(hub, Health()))
    for read in (view.owner("0x" + "11" * 20), view.task(TaskId("0x" + "09" * 32)), view.deal(DEAL)):
        with pytest.raises(ChainUnreachable, match="try again later"):
            await read
    await hub.close()
