"""What commands are judged by: one block for all of them, never an older one than before."""

from collections.abc import Sequence
from typing import Any

import pytest
from workerpool_chain_adapter.adapters.hub_reads import LOOKS, HubReads
from workerpool_chain_adapter.domain import stored_order
from workerpool_chain_adapter.domain.assessment import ChainSnapshot, OrderSnapshot
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.clock import FakeClock
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import ChainUnreachable, RpcError
from workerpool_poco.protocol.deadlines import CLOCK_MARGIN_S
from workerpool_poco.protocol.ids import Address, TaskId, to_hex
from workerpool_poco.protocol.model import Block
from workerpool_poco.protocol.orders import WorkerpoolOrder
from workerpool_poco.protocol.statuses import ChainTaskStatus

from services.chain_adapter.tests.conftest import Pool

WALLET = "0x" + "11" * 20
CLAIM = Command(CommandKey(TaskId("0x" + "12" * 32), CommandKind.CLAIM), 0, 0)


class LaggingHub:
    """Back-ends that answer one after another; `heads` are the numbers of their newest blocks."""

    def __init__(self, heads: Sequence[int]) -> None:
        self.heads = list(heads)
        self.read_at: list[int] = []
        self.missing = False

    async def block(self) -> Block:
        number = self.heads.pop(0)
        return Block(number, bytes([number]), bytes([number - 1]), 1_000 + number)

    async def view_tasks(self, task_ids: Sequence[TaskId], *, block: int) -> list[Any]:
        if self.missing:
            raise RpcError("eth_call", -32000, "header not found")
        self.read_at.append(block)
        return []

    async def call_many(self, *_: Any, block: int) -> list[Any]:
        assert block == self.read_at[-1], "deals and tasks are of one block"
        return []


def reads(hub: Any, pauses: list[float] | None = None) -> HubReads:
    async def sleep(seconds: float) -> None:
        (pauses if pauses is not None else []).append(seconds)

    return HubReads(hub, WALLET, FakeClock(), sleep=sleep)


async def test_a_back_end_that_lags_is_asked_again() -> None:
    hub, pauses = LaggingHub([9, 5, 8, 9]), list[float]()
    chain = reads(hub, pauses)
    for _ in range(2):
        await chain.snapshots([])
    assert hub.read_at == [9, 9]
    assert len(pauses) == 2


async def test_a_chain_that_went_back_is_believed_after_a_while() -> None:
    hub = LaggingHub([9, *[5] * (LOOKS + 1)])
    chain = reads(hub)
    for _ in range(2):
        await chain.snapshots([])
    assert hub.read_at == [9, 5]


async def test_a_back_end_without_the_newest_block_is_an_outage() -> None:
    hub = LaggingHub([9])
    hub.missing = True
    with pytest.raises(ChainUnreachable, match="header not found"):
        await reads(hub).snapshots([CLAIM])


async def test_a_node_that_does_not_answer_is_an_outage() -> None:
    hub = HubClient(f"http://127.0.0.1:{free_port()}", "0x" + "11" * 20, chain_id=1, attempts=1)
    for request in (reads(hub).snapshots([CLAIM]), reads(hub).block_gas_limit()):
        with pytest.raises(ChainUnreachable):
            await request
    await hub.close()


async def test_a_real_hub_gives_deal_task_and_deadlines(pool: Pool) -> None:
    deal = pool.buy(volume=2)
    pool.initialize(deal, 0)
    clock = FakeClock()
    async with HubClient(pool.chain.url, pool.chain.hub) as hub:
        chain = HubReads(hub, WALLET, clock)
        await chain.prepare()
        before = await hub.block_number()
        commands = [
            Command(CommandKey(task, CommandKind.CLAIM), 0, 0, deal_id=deal.deal_id, task_index=index)
            for index, task in enumerate(deal.task_ids)
        ]
        initialized, unset = await chain.snapshots(commands)
        assert isinstance(initialized, ChainSnapshot)
        assert isinstance(unset, ChainSnapshot)
        assert (initialized.task.status, unset.task.status) == (ChainTaskStatus.ACTIVE, ChainTaskStatus.UNSET)
        assert initialized.task.final_deadline == initialized.final_deadline == unset.final_deadline
        assert initialized.task.contribution_deadline == unset.contribution_deadline
        assert initialized.block_number == unset.block_number
        assert before <= initialized.block_number <= await hub.block_number()
        assert initialized.now == initialized.block_time, "the clock of this test is behind the chain"
        clock.advance(initialized.block_time + 500 - clock.now())
        (later, _) = await chain.snapshots(commands)
        assert isinstance(later, ChainSnapshot)
        assert later.now == initialized.block_time + 500 - CLOCK_MARGIN_S
        block = pool.chain.chain.rpc.call("eth_getBlockByNumber", "latest", False)
        assert await chain.block_gas_limit() == int(block["gasLimit"], 16)


def cancellation(pool: Pool, workerpool: Address) -> Command:
    """Return the command that cancels an order of a workerpool."""
    order = WorkerpoolOrder(workerpool=workerpool, volume=3)
    key = CommandKey(TaskId(to_hex(order.hash(pool.domain))), CommandKind.CANCEL_ORDER)
    return Command(key, 0, 0, order=stored_order.to_text(order))


async def test_a_real_hub_gives_the_orders_to_cancel_beside_tasks(pool: Pool) -> None:
    deal = pool.buy()
    claim = Command(CommandKey(deal.task_ids[0], CommandKind.CLAIM), 0, 0, deal_id=deal.deal_id)
    known, unknown = cancellation(pool, pool.workerpool), cancellation(pool, pool.worker.address)
    async with HubClient(pool.chain.url, pool.chain.hub) as hub:
        chain = HubReads(hub, WALLET, FakeClock())
        await chain.prepare()
        first, task, second = await chain.snapshots([known, claim, unknown])
    assert isinstance(task, ChainSnapshot)
    assert first == OrderSnapshot(3, 0, pool.owner.address, task.block_number, WALLET)
    assert second == OrderSnapshot(3, 0, None, task.block_number, WALLET)
