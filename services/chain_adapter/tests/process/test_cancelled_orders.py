"""Orders that are cancelled on the real contracts: who copied the signature of one cannot buy by it any more."""

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest
from workerpool_devnet.errors import TransactionError
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.grpc.client import error_reason
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.orders import NO_DATASET, AppOrder, RequestOrder, WorkerpoolOrder
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

CANCEL = pb.COMMAND_KIND_CANCEL_ORDER


@pytest.fixture
def chain(own_chain: PocoChain) -> PocoChain:
    return own_chain


def offer(pool: Any, volume: int = 3, **fields: Any) -> WorkerpoolOrder:
    """Return a signed order of the pool, as a market would show it to everyone."""
    order = WorkerpoolOrder(workerpool=pool.workerpool, volume=volume, trust=1, **fields)
    return order.signed(pool.owner, pool.domain)


def hash_of(pool: Any, order: WorkerpoolOrder) -> str:
    return to_hex(order.hash(pool.domain))


def request(order: WorkerpoolOrder) -> pb.CancelOrderRequest:
    fields = {name: value for name, value in order.to_json().items() if name != "sign"}
    return pb.CancelOrderRequest(order=pb.WorkerpoolOrder(**fields))


def buy(pool: Any, order: WorkerpoolOrder, volume: int = 1) -> None:
    """Match an order by its copied signature. Raises TransactionError."""
    requester = pool.chain.account("requester")
    app = AppOrder(app=pool.app, volume=volume).signed(requester, pool.domain)
    wanted = RequestOrder(
        app=pool.app,
        workerpoolmaxprice=order.workerpoolprice,
        requester=requester.address,
        volume=volume,
        trust=order.trust,
    ).signed(requester, pool.domain)
    pool.chain.market.match(requester, app, NO_DATASET, order, wanted)


async def consumed(pool: Any, order: WorkerpoolOrder) -> int:
    async with HubClient(pool.chain.url, pool.chain.hub) as hub:
        return await hub.consumed_volume(order.hash(pool.domain))


async def test_a_copied_signature_buys_nothing_after_the_cancellation(adapter: Any, pool: Any) -> None:
    order, other, before = offer(pool), offer(pool), pool.owner_nonce()
    buy(pool, order)
    answer = (await adapter.api.CancelOrder(request(order))).command
    assert (answer.task_id, answer.kind) == (hash_of(pool, order), CANCEL)
    command = await adapter.outcome(hash_of(pool, order), CANCEL)
    assert (command.state, command.attempts) == (pb.COMMAND_STATE_SUCCESS, 1)
    assert command.block_number > 0
    assert 30_000 < command.gas_used < 100_000
    assert await consumed(pool, order) == 3, "the hub counts the rest as sold"
    with pytest.raises(TransactionError):
        buy(pool, order)
    buy(pool, other)
    assert pool.owner_nonce() == before + 1


async def test_requests_at_once_and_later_ones_are_one_transaction(adapter: Any, pool: Any) -> None:
    order, before = offer(pool), pool.owner_nonce()
    await asyncio.gather(*(adapter.api.CancelOrder(request(order)) for _ in range(5)))
    first = await adapter.outcome(hash_of(pool, order), CANCEL)
    assert (await adapter.api.CancelOrder(request(order))).command == first
    assert pool.owner_nonce() == before + 1


async def test_an_order_that_is_sold_out_needs_no_transaction(adapter: Any, pool: Any) -> None:
    order, before = offer(pool, volume=1), pool.owner_nonce()
    buy(pool, order)
    command = (await adapter.api.CancelOrder(request(order))).command
    assert (command.state, command.block_number) == (pb.COMMAND_STATE_SUCCESS, 0)
    assert pool.owner_nonce() == before


async def test_an_order_of_another_owner_s_pool_is_refused(adapter: Any, pool: Any) -> None:
    foreign = pool.chain.market.create_workerpool(pool.worker, "another pool")
    for workerpool, reason in ((foreign, "NOT_POOL_OWNER"), (pool.worker.address, "WORKERPOOL_NOT_FOUND")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await adapter.api.CancelOrder(request(replace(offer(pool), workerpool=workerpool)))
        assert error_reason(refused.value) == reason


async def test_a_cancellation_survives_the_adapter(launch: Any, pool: Any) -> None:
    """An adapter that is killed between the journal and the block sends no second transaction."""
    first, order, before = await (await launch()).ready(), offer(pool), pool.owner_nonce()
    pool.stop_mining()
    await first.api.CancelOrder(request(order))
    await pool.in_node(1)
    await first.kill()
    second = await (await launch()).ready()
    await second.api.CancelOrder(request(order))
    pool.chain.chain.mine_at_once()
    pool.mine(2)
    command = await second.outcome(hash_of(pool, order), CANCEL)
    assert command.state == pb.COMMAND_STATE_SUCCESS
    assert await consumed(pool, order) == 3
    assert pool.owner_nonce() == before + 1
