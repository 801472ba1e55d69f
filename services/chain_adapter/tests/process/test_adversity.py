"""Failures between a request and its effect: missing blocks, crashes, other wallets, nodes that forget transactions.

These tests decide when a block is mined, so they run on a chain of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pymongo
import pytest
from patience import PATIENCE_S
from workerpool_devnet.market.trading import Deal
from workerpool_devnet.processes.mongod import Database
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.wallet import Transaction
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

INITIALIZE = pb.COMMAND_KIND_INITIALIZE
_BLOCK_S = 2
"""Seconds between two blocks: enough for the adapter to follow one and to send the next transaction."""
PROCESSING, SUCCESS = pb.COMMAND_STATE_PROCESSING, pb.COMMAND_STATE_SUCCESS


@pytest.fixture
def chain(own_chain: PocoChain) -> PocoChain:
    return own_chain


def task_hex(deal: Deal, index: int = 0) -> str:
    return deal.task_ids[index]


def offer(pool: Any, transaction: str) -> list[int]:
    """Return what a transaction offers per unit of gas: the most, and the tip."""
    found = pool.chain.chain.rpc.call("eth_getTransactionByHash", transaction)
    return [int(found[name], 16) for name in ("maxFeePerGas", "maxPriorityFeePerGas")]


async def send_and_kill(launch: Callable[..., Awaitable[Any]], pool: Any, deal: Deal) -> None:
    """Kill an adapter whose transactions for a deal are in the node's pool."""
    pool.stop_mining()
    adapter = await (await launch()).ready()
    await adapter.initialize(pool, deal)
    await adapter.kill()


@pytest.mark.parametrize("in_flight", ["1", "64"])
async def test_a_burst_of_initializations_has_a_transaction_in_every_block(
    launch: Callable[..., Awaitable[Any]], pool: Any, in_flight: str
) -> None:
    """Scenario 30: a burst of initializations averages at least one transaction per block until it is done."""
    deal = pool.buy(volume=20)
    adapter = await (await launch(IEXEC_BLOCKCHAIN_ADAPTER_API_MAX_ALLOWED_TX_PER_BLOCK=in_flight)).ready()
    before = pool.owner_nonce()
    pool.chain.chain.mine_every(_BLOCK_S)
    await adapter.initialize(pool, deal)
    outcomes = await adapter.initialized(pool, deal)
    blocks = {command.block_number for command in outcomes}
    transactions = pool.owner_nonce() - before
    assert len({command.transaction_hash for command in outcomes}) == transactions
    assert transactions >= max(blocks) - min(blocks) + 1


async def test_a_batch_that_reverts_is_sent_again_without_the_task_that_another_wallet_initialized(
    adapter: Any, pool: Any
) -> None:
    deal = pool.buy(volume=5)
    pool.stop_mining()
    await adapter.initialize(pool, deal)
    pool.overtake(calls.initialize(deal.deal_id, 3))
    pool.mine()
    await pool.in_node(1)
    pool.mine()
    outcomes = await adapter.initialized(pool, deal)
    by_another_wallet = [command for command in outcomes if command.block_number == 0]
    assert by_another_wallet == [outcomes[3]]


async def test_a_kill_while_transactions_are_in_the_pool_loses_none(
    launch: Callable[..., Awaitable[Any]], pool: Any
) -> None:
    deal, before = pool.buy(volume=3), pool.owner_nonce()
    await send_and_kill(launch, pool, deal)
    pool.mine()
    mined = pool.owner_nonce() - before
    adapter = await (await launch()).ready()
    pool.mine()
    await adapter.initialized(pool, deal)
    assert mined >= 1
    assert pool.owner_nonce() - before == mined, "nothing is sent twice"


async def test_a_kill_between_journal_and_send_leads_to_the_same_bytes(
    launch: Callable[..., Awaitable[Any]], pool: Any, mongod: Database, database_name: str
) -> None:
    """The journal has the signed bytes and no node does: the same bytes are sent, with the same nonce."""
    deal, before = pool.buy(volume=3), pool.owner_nonce()
    await send_and_kill(launch, pool, deal)
    pool.forget_transactions()
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        journaled = list(client[database_name]["entries"].find().sort("nonce"))
    adapter = await (await launch()).ready()
    await pool.in_node(len(journaled))
    pool.mine()
    outcomes = await adapter.initialized(pool, deal)
    assert {command.transaction_hash for command in outcomes} == {
        each["versions"][0]["hash"] for each in journaled
    }
    assert pool.owner_nonce() - before == len(journaled)


async def test_a_kill_between_acceptance_and_transaction_sends_only_what_is_missing(
    launch: Callable[..., Awaitable[Any]], pool: Any, mongod: Database, database_name: str
) -> None:
    """The journal has only the commands."""
    deal, before = pool.buy(volume=2), pool.owner_nonce()
    await send_and_kill(launch, pool, deal)
    pool.forget_transactions()
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        client[database_name]["entries"].delete_many({})
        client[database_name]["commands"].update_many({}, {"$set": {"state": "RECEIVED", "attempts": 0}})
    pool.overtake(calls.initialize(deal.deal_id, 0))
    pool.mine()
    adapter = await (await launch()).ready()
    await pool.in_node(1)
    pool.mine()
    outcomes = await adapter.initialized(pool, deal)
    # The effect of the other wallet was found before anything was sent for it.
    assert [command.block_number == 0 for command in outcomes] == [True, False]
    assert pool.owner_nonce() - before == 1


async def test_a_forgotten_transaction_is_sent_again(adapter: Any, pool: Any) -> None:
    deal = pool.buy(volume=2)
    pool.stop_mining()
    await adapter.initialize(pool, deal)
    pool.forget_transactions()
    pool.mine(6)
    await pool.in_node(1)
    async with asyncio.timeout(PATIENCE_S):
        while any(
            [(await pool.task(task_id)).status is not ChainTaskStatus.ACTIVE for task_id in deal.task_ids]
        ):
            pool.mine()
            await asyncio.sleep(0.1)
    await adapter.initialized(pool, deal)


async def test_a_stuck_transaction_is_replaced_by_one_that_pays_more(
    launch: Callable[..., Awaitable[Any]], pool: Any
) -> None:
    """Blocks arrive without room for it, as when all other transactions pay more."""
    adapter = await (await launch(IEXEC_GAS_PRICE_CAP=str(10**12))).ready()
    deal = pool.buy()
    rpc = pool.chain.chain.rpc
    pool.stop_mining()
    await adapter.initialize(pool, deal)
    first = (await adapter.seen(task_hex(deal), lambda command: command.state == PROCESSING)).transaction_hash
    paid = offer(pool, first)
    limit = int(rpc.call("eth_getBlockByNumber", "latest", False)["gasLimit"], 16)
    rpc.call("evm_setBlockGasLimit", hex(30_000))
    pool.mine(6)
    replaced = await adapter.seen(task_hex(deal), lambda command: command.transaction_hash != first)
    rpc.call("evm_setBlockGasLimit", hex(limit))
    assert replaced.attempts == 2
    await pool.until(lambda: rpc.call("eth_getTransactionByHash", replaced.transaction_hash))
    pays = offer(pool, replaced.transaction_hash)
    assert all(after >= before * 115 // 100 for before, after in zip(paid, pays, strict=True))
    pool.mine()
    await adapter.initialized(pool, deal)


async def test_the_gas_margin_does_not_exceed_the_block_gas_limit(adapter: Any, pool: Any) -> None:
    """Every node refuses a higher limit, and all later transactions wait for the nonce."""
    first, second = pool.buy(), pool.buy()
    rpc = pool.chain.chain.rpc
    await adapter.initialize(pool, first)
    (initialized,) = await adapter.initialized(pool, first)
    limit = int(rpc.call("eth_getBlockByNumber", "latest", False)["gasLimit"], 16)
    rpc.call("evm_setBlockGasLimit", hex(initialized.gas_used * 110 // 100))
    pool.mine()
    try:
        await adapter.initialize(pool, second)
        await adapter.initialized(pool, second)
    finally:
        rpc.call("evm_setBlockGasLimit", hex(limit))


async def test_a_command_whose_nonce_another_process_used_gets_a_new_one(
    launch: Callable[..., Awaitable[Any]], pool: Any
) -> None:
    deal = pool.buy()
    pool.stop_mining()
    adapter = await (await launch()).ready()
    await adapter.initialize(pool, deal)
    pool.forget_transactions()
    await asyncio.to_thread(use_nonce, pool)
    pool.mine()
    # Three looks without a receipt, then the transaction counts as lost.
    async with asyncio.timeout(PATIENCE_S):
        while (await pool.task(deal.task_ids[0])).status is not ChainTaskStatus.ACTIVE:
            pool.mine()
            await asyncio.sleep(0.1)
    (outcome,) = await adapter.initialized(pool, deal)
    assert outcome.attempts == 2


async def test_an_abandoned_nonce_is_filled_and_does_not_block_those_above_it(
    launch: Callable[..., Awaitable[Any]], pool: Any
) -> None:
    """The node counted a transaction of another process, and then forgot it."""
    deal, before = pool.buy(), pool.owner_nonce()
    pool.stop_mining()
    await asyncio.to_thread(use_nonce, pool)
    adapter = await (await launch()).ready()
    await adapter.initialize(pool, deal)
    await pool.in_node(2)
    pool.forget_transactions()
    async with asyncio.timeout(PATIENCE_S):
        while (await pool.task(deal.task_ids[0])).status is not ChainTaskStatus.ACTIVE:
            pool.mine()
            await asyncio.sleep(0.1)
    await adapter.initialized(pool, deal)
    assert pool.owner_nonce() - before == 2
    assert await adapter.stop() == 0
    assert await (await launch()).ready()


def use_nonce(pool: Any) -> None:
    """Send a transaction from the pool owner's wallet that the adapter does not know."""
    rpc = pool.chain.chain.rpc
    other = Transaction(
        nonce=pool.owner_nonce(),
        gas_price=50 * 10**9,
        gas=21_000,
        to=pool.worker.address,
        value=1,
        data=b"",
        chain_id=pool.chain.chain_id,
    )
    rpc.call("eth_sendRawTransaction", to_hex(pool.owner.sign_transaction(other).raw))
