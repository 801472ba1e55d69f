"""One wallet that others use too, and what `GetWallet` shows of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_devnet.processes.mongod import Database
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.wallet import Transaction
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

SUCCESS = pb.COMMAND_STATE_SUCCESS
CLAIM, INITIALIZE = pb.COMMAND_KIND_CLAIM, pb.COMMAND_KIND_INITIALIZE


@pytest.fixture
def chain(own_chain: PocoChain) -> PocoChain:
    return own_chain


@pytest.fixture
def other_database(mongod: Database) -> Iterator[str]:
    name = mongod.new_name("other")
    yield name
    mongod.drop(name)


async def test_a_bag_that_was_never_initialized_is_claimed(adapter: Any, pool: Any) -> None:
    deal, before = pool.buy(volume=6), pool.owner_nonce()
    pool.initialize(deal, 5)
    pool.chain.chain.increase_time(3_001)
    requests = [
        pb.ClaimRequest(task_id=task, deal_id=deal.deal_id, task_index=index)
        for index, task in enumerate(deal.task_ids)
    ]
    await asyncio.gather(*(adapter.api.Claim(request) for request in requests))
    outcomes = await asyncio.gather(*(adapter.outcome(each, CLAIM) for each in deal.task_ids))
    assert {each.state for each in outcomes} == {SUCCESS}
    for task in deal.task_ids:
        assert (await pool.task(task)).status is ChainTaskStatus.FAILED
    assert pool.owner_nonce() - before <= 4, "the claims share a few transactions"


async def test_two_adapters_of_one_wallet_carry_out_their_commands(
    launch: Callable[..., Awaitable[Any]], pool: Any, other_database: str
) -> None:
    """Neither knows the other's nonces; each plans again what it lost to the other, and logs that without a warning."""
    deals = [[pool.buy() for _ in range(12)] for _ in range(2)]
    adapters = [await (await launch()).ready(), await (await launch(MONGO_DATABASE=other_database)).ready()]
    pool.chain.chain.mine_every(1)

    async def use(adapter: Any, own: list[Any]) -> list[Any]:
        for deal in own:
            await adapter.api.Initialize(pb.InitializeRequest(deal_id=deal.deal_id, task_index=0))
            await asyncio.sleep(0.2)  # spread over blocks, so that both are at work at a time
        return [await adapter.outcome(deal.task_ids[0], INITIALIZE) for deal in own]

    async with asyncio.timeout(90):
        outcomes = await asyncio.gather(*(use(*each) for each in zip(adapters, deals, strict=True)))
    assert {each.state for own in outcomes for each in own} == {SUCCESS}
    for deal in [deal for own in deals for deal in own]:
        assert (await pool.task(deal.task_ids[0])).status is ChainTaskStatus.ACTIVE


async def test_the_owner_s_own_transactions_are_normal(adapter: Any, pool: Any) -> None:
    """The owner registers apps and moves coins with the same wallet, by tools of their own."""
    for _ in range(3):
        await asyncio.to_thread(transfer, pool)
        deal = pool.buy()
        await adapter.api.Initialize(pb.InitializeRequest(deal_id=deal.deal_id, task_index=0))
        assert (await adapter.outcome(deal.task_ids[0], INITIALIZE)).attempts == 1
    assert "[warning" not in adapter.log.read_text().replace("password.left_at_default", "")


async def test_the_wallet_shows_what_is_in_flight(adapter: Any, pool: Any) -> None:
    idle = await adapter.api.GetWallet(pb.GetWalletRequest())
    assert idle.address == pool.owner.address
    assert idle.mined_nonce == idle.next_nonce == pool.owner_nonce()
    assert (idle.in_flight, idle.parked_reason, idle.replacements, idle.fillers) == (0, "", 0, 0)
    assert int(idle.balance_wei) > 0
    assert int(idle.gas_price_wei) > 0
    left = int(idle.balance_wei) // (500_000 * int(idle.gas_price_wei))
    assert idle.transactions_left == left
    assert idle.chain_shape == "mempool"
    deal = pool.buy()
    pool.stop_mining()
    await adapter.initialize(pool, deal)
    busy = await adapter.api.GetWallet(pb.GetWalletRequest())
    assert (busy.in_flight, busy.next_nonce) == (1, idle.next_nonce + 1)
    assert busy.oldest_unmined.ToTimedelta().total_seconds() > 0
    pool.mine()
    await adapter.initialized(pool, deal)
    async with asyncio.timeout(PATIENCE_S):
        while (await adapter.api.GetWallet(pb.GetWalletRequest())).in_flight:
            await asyncio.sleep(0.02)


async def test_a_dry_wallet_parks_says_so_and_continues_once_it_is_filled(adapter: Any, pool: Any) -> None:
    deal, rpc = pool.buy(), pool.chain.chain.rpc
    rpc.call("anvil_setBalance", pool.owner.address, hex(1_000))
    await adapter.api.Initialize(pb.InitializeRequest(deal_id=deal.deal_id, task_index=0))
    async with asyncio.timeout(PATIENCE_S):
        while not (wallet := await adapter.api.GetWallet(pb.GetWalletRequest())).parked_reason:
            await asyncio.sleep(0.1)
    assert "coins" in wallet.parked_reason or "funds" in wallet.parked_reason
    assert wallet.transactions_left == 0
    rpc.call("anvil_setBalance", pool.owner.address, hex(10**18))
    await adapter.initialized(pool, deal)
    async with asyncio.timeout(PATIENCE_S):
        while (wallet := await adapter.api.GetWallet(pb.GetWalletRequest())).parked_reason:
            await asyncio.sleep(0.1)
    assert adapter.process.returncode is None


def transfer(pool: Any) -> None:
    """Send a transaction from the pool owner's wallet, and wait until it is mined."""
    rpc, nonce = pool.chain.chain.rpc, pool.owner_nonce()
    other = Transaction(
        nonce=nonce,
        gas_price=50 * 10**9,
        gas=21_000,
        to=pool.worker.address,
        value=1,
        data=b"",
        chain_id=pool.chain.chain_id,
    )
    rpc.call("eth_sendRawTransaction", to_hex(pool.owner.sign_transaction(other).raw))
    pool.mine()
    assert pool.owner_nonce() == nonce + 1
