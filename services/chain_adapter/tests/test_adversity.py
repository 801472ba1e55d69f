"""What may go wrong between a wish and its effect: blocks that do not come, crashes, strangers, forgetful nodes.

These tests decide when a block is mined, so they have a chain of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pymongo
import pytest
from workerpool_devnet import accounts, contracts
from workerpool_devnet.chain import Chain
from workerpool_devnet.database import Database
from workerpool_devnet.market import Deal
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.ids import to_hex
from workerpool_poco.statuses import ChainTaskStatus
from workerpool_poco.wallet import Transaction
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

INITIALIZE = pb.COMMAND_KIND_INITIALIZE
PROCESSING, SUCCESS = pb.COMMAND_STATE_PROCESSING, pb.COMMAND_STATE_SUCCESS


@pytest.fixture(scope="module")
def own_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocoChain]:
    with Chain(log=tmp_path_factory.mktemp("chain") / "chain.log") as chain:
        yield PocoChain(chain, contracts.deploy(chain.rpc, accounts.deployer(chain.rpc)))


@pytest.fixture
def chain(own_chain: PocoChain) -> Iterator[PocoChain]:
    snapshot = own_chain.snapshot()
    yield own_chain
    own_chain.chain.rpc.call("anvil_dropAllTransactions")
    own_chain.chain.rpc.call("evm_setAutomine", True)
    own_chain.revert(snapshot)


def stop_mining(pool: Any) -> None:
    # The mixed mode in which the chain starts is left by asking for instant mining first.
    for instantly in (True, False):
        pool.chain.chain.rpc.call("evm_setAutomine", instantly)


async def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition of the chain; it has no events for these."""
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.02)


def mine(pool: Any, blocks: int = 1) -> None:
    for _ in range(blocks):
        pool.chain.chain.mine()


def forget_transactions(pool: Any) -> None:
    """Let the node forget what waits in its pool, as nodes do when they restart."""
    pool.chain.chain.rpc.call("anvil_dropAllTransactions")


def task_hex(deal: Deal, index: int = 0) -> str:
    return to_hex(deal.task_ids[index])


async def ask(adapter: Any, pool: Any, deal: Deal) -> None:
    """Ask for every task of a deal, and wait until the node has all their transactions."""
    wishes = [
        pb.InitializeRequest(deal_id=to_hex(deal.deal_id), task_index=index) for index in range(deal.volume)
    ]
    await asyncio.gather(*(adapter.api.Initialize(wish) for wish in wishes))
    sent = [
        (await seen(adapter, task_hex(deal, index), lambda c: c.state == PROCESSING)).transaction_hash
        for index in range(deal.volume)
    ]
    rpc = pool.chain.chain.rpc
    await until(lambda: all(rpc.call("eth_getTransactionByHash", each) for each in set(sent)))


async def seen(adapter: Any, task_id: str, condition: Callable[[Any], bool]) -> Any:
    """Follow a command until it is as wanted."""
    request = pb.WatchCommandRequest(task_id=task_id, kind=INITIALIZE)
    async with asyncio.timeout(20):
        async for change in adapter.api.WatchCommand(request):
            if condition(change.command):
                return change.command
    pytest.fail("the command ended otherwise")


async def in_pool(pool: Any, count: int) -> None:
    """Wait until the node holds `count` transactions of the pool owner."""
    rpc = pool.chain.chain.rpc
    await until(
        lambda: (
            int(rpc.call("eth_getTransactionCount", pool.owner.address, "pending"), 16)
            >= pool.owner_nonce() + count
        )
    )


async def all_succeed(adapter: Any, pool: Any, deal: Deal) -> list[Any]:
    outcomes = await asyncio.gather(
        *(adapter.outcome(task_hex(deal, index), INITIALIZE) for index in range(deal.volume))
    )
    assert {command.state for command in outcomes} == {SUCCESS}
    for task_id in deal.task_ids:
        assert (await pool.task(task_id)).status is ChainTaskStatus.ACTIVE
    return outcomes


async def test_a_batch_of_which_a_stranger_fulfilled_one_is_sent_again_without_it(
    adapter: Any, pool: Any
) -> None:
    deal = pool.buy(volume=5)
    stop_mining(pool)
    await ask(adapter, pool, deal)
    pool.overtake("initialize", deal.deal_id, 3)
    mine(pool)
    await in_pool(pool, 1)
    mine(pool)
    outcomes = await all_succeed(adapter, pool, deal)
    strangers = [command for command in outcomes if command.block_number == 0]
    assert strangers == [outcomes[3]] or not strangers


async def test_kill_while_transactions_wait_and_the_node_keeps_them(
    launch: Callable[..., Awaitable[Any]], pool: Any
) -> None:
    deal, before = pool.buy(volume=3), pool.owner_nonce()
    stop_mining(pool)
    adapter = await (await launch()).ready()
    await ask(adapter, pool, deal)
    await adapter.kill()
    mine(pool)
    mined = pool.owner_nonce() - before
    adapter = await (await launch()).ready()
    mine(pool)
    await all_succeed(adapter, pool, deal)
    assert pool.owner_nonce() - before >= mined >= 1


async def test_kill_between_journal_and_send(
    launch: Callable[..., Awaitable[Any]], pool: Any, mongod: Database, database_name: str
) -> None:
    """The journal has the signed bytes, no node has them: the same bytes are sent, under the same nonce."""
    deal, before = pool.buy(volume=3), pool.owner_nonce()
    stop_mining(pool)
    adapter = await (await launch()).ready()
    await ask(adapter, pool, deal)
    await adapter.kill()
    forget_transactions(pool)
    with pymongo.MongoClient(mongod.uri) as client:
        journaled = list(client[database_name]["transactions"].find().sort("nonce"))
    adapter = await (await launch()).ready()
    await in_pool(pool, len(journaled))
    mine(pool)
    outcomes = await all_succeed(adapter, pool, deal)
    assert {command.transaction_hash for command in outcomes} == {
        each["versions"][0]["hash"] for each in journaled
    }
    assert pool.owner_nonce() - before == len(journaled)


async def test_kill_between_acceptance_and_transaction(
    launch: Callable[..., Awaitable[Any]], pool: Any, mongod: Database, database_name: str
) -> None:
    """The journal has the wish only."""
    deal, before = pool.buy(volume=2), pool.owner_nonce()
    stop_mining(pool)
    adapter = await (await launch()).ready()
    await ask(adapter, pool, deal)
    await adapter.kill()
    forget_transactions(pool)
    with pymongo.MongoClient(mongod.uri) as client:
        client[database_name]["transactions"].delete_many({})
        client[database_name]["commands"].update_many({}, {"$set": {"state": "RECEIVED", "attempts": 0}})
    pool.overtake("initialize", deal.deal_id, 0)
    mine(pool)
    adapter = await (await launch()).ready()
    await in_pool(pool, 1)
    mine(pool)
    outcomes = await all_succeed(adapter, pool, deal)
    # The stranger's effect was found before anything was sent for it.
    assert [command.block_number == 0 for command in outcomes] == [True, False]
    assert pool.owner_nonce() - before == 1


async def test_a_forgotten_transaction_is_sent_again(adapter: Any, pool: Any) -> None:
    deal = pool.buy(volume=2)
    stop_mining(pool)
    await ask(adapter, pool, deal)
    forget_transactions(pool)
    mine(pool, 6)
    await in_pool(pool, 1)
    async with asyncio.timeout(20):
        while any(
            [(await pool.task(task_id)).status is not ChainTaskStatus.ACTIVE for task_id in deal.task_ids]
        ):
            mine(pool)
            await asyncio.sleep(0.1)
    await all_succeed(adapter, pool, deal)


async def test_a_stuck_transaction_is_replaced_by_one_that_pays_more(
    launch: Callable[..., Awaitable[Any]], pool: Any
) -> None:
    """Blocks come but have no room for it, as when everybody else pays more."""
    adapter = await (await launch(IEXEC_GAS_PRICE_CAP=str(10**12))).ready()
    deal = pool.buy()
    rpc = pool.chain.chain.rpc
    stop_mining(pool)
    await ask(adapter, pool, deal)
    first = (
        await seen(adapter, task_hex(deal), lambda command: command.state == PROCESSING)
    ).transaction_hash
    paid = int(rpc.call("eth_getTransactionByHash", first)["gasPrice"], 16)
    limit = int(rpc.call("eth_getBlockByNumber", "latest", False)["gasLimit"], 16)
    rpc.call("evm_setBlockGasLimit", hex(30_000))
    mine(pool, 6)
    replaced = await seen(adapter, task_hex(deal), lambda command: command.transaction_hash != first)
    rpc.call("evm_setBlockGasLimit", hex(limit))
    assert replaced.attempts == 2
    await until(lambda: rpc.call("eth_getTransactionByHash", replaced.transaction_hash))
    pays = int(rpc.call("eth_getTransactionByHash", replaced.transaction_hash)["gasPrice"], 16)
    assert pays >= paid * 115 // 100
    mine(pool)
    await all_succeed(adapter, pool, deal)


async def test_a_nonce_that_somebody_else_used_is_replaced_by_a_fresh_one(
    launch: Callable[..., Awaitable[Any]], pool: Any
) -> None:
    deal = pool.buy()
    stop_mining(pool)
    adapter = await (await launch()).ready()
    await ask(adapter, pool, deal)
    forget_transactions(pool)
    await asyncio.to_thread(use_nonce, pool)
    mine(pool)
    # Three looks without a receipt, then the transaction counts as lost.
    async with asyncio.timeout(20):
        while (await pool.task(deal.task_ids[0])).status is not ChainTaskStatus.ACTIVE:
            mine(pool)
            await asyncio.sleep(0.1)
    (outcome,) = await all_succeed(adapter, pool, deal)
    assert outcome.attempts == 2


def use_nonce(pool: Any) -> None:
    """Send something else from the pool owner's wallet."""
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


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_a_mined_transaction_that_a_reorganisation_took_back_is_sent_again(
    launch: Callable[..., Awaitable[Any]], pool: Any, restarted: bool
) -> None:
    """The node does not bring it back, so that its nonce is missing and everything after it would wait for ever."""
    first, second = pool.buy(), pool.buy()
    adapter = await (await launch()).ready()
    await ask(adapter, pool, first)
    (done,) = await all_succeed(adapter, pool, first)
    pool.chain.chain.reorganise(done.block_number)
    if restarted:
        await adapter.kill()
        adapter = await (await launch()).ready()
    await ask(adapter, pool, second)
    await all_succeed(adapter, pool, second)
    for deal in (first, second):
        assert (await pool.task(deal.task_ids[0])).status is ChainTaskStatus.ACTIVE
