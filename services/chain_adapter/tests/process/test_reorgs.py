"""After a reorg, the same transactions are mined again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pymongo
import pytest
from patience import PATIENCE_S
from workerpool_devnet.market.trading import Deal
from workerpool_devnet.processes.mongod import Database
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

INITIALIZE, FINALIZE, CLAIM = pb.COMMAND_KIND_INITIALIZE, pb.COMMAND_KIND_FINALIZE, pb.COMMAND_KIND_CLAIM
PROCESSING, SUCCESS = pb.COMMAND_STATE_PROCESSING, pb.COMMAND_STATE_SUCCESS


@pytest.fixture
def chain(own_chain: PocoChain) -> PocoChain:
    return own_chain


def task_hex(deal: Deal) -> str:
    return deal.task_ids[0]


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_a_mined_transaction_that_a_reorg_removed_is_sent_again(
    launch: Callable[..., Awaitable[Any]], pool: Any, restarted: bool
) -> None:
    """The node does not return it to its pool: its nonce is missing, and everything after it would never be mined."""
    first, second = pool.buy(), pool.buy()
    adapter = await (await launch()).ready()
    await adapter.initialize(pool, first)
    (done,) = await adapter.initialized(pool, first)
    pool.chain.chain.reorganise(done.block_number)
    if restarted:
        await adapter.kill()
        adapter = await (await launch()).ready()
    await adapter.initialize(pool, second)
    await adapter.initialized(pool, second)
    for deal in (first, second):
        assert (await pool.task(deal.task_ids[0])).status is ChainTaskStatus.ACTIVE


@dataclass(frozen=True)
class Done:
    """Commands of one kind whose transactions are mined."""

    kind: int
    commands: list[Any]
    status: ChainTaskStatus
    """The status that these transactions gave their tasks."""

    @property
    def transactions(self) -> set[str]:
        return {command.transaction_hash for command in self.commands}

    @property
    def first_block(self) -> int:
        return int(min(command.block_number for command in self.commands))


async def one_initialization(adapter: Any, pool: Any) -> Done:
    deal = pool.buy()
    await adapter.initialize(pool, deal)
    return Done(INITIALIZE, await adapter.initialized(pool, deal), ChainTaskStatus.ACTIVE)


async def several_with_a_batch(adapter: Any, pool: Any) -> Done:
    deals, commands = [pool.buy(), pool.buy(volume=5)], []
    for deal in deals:
        await adapter.initialize(pool, deal)
        commands += await adapter.initialized(pool, deal)
    done = Done(INITIALIZE, commands, ChainTaskStatus.ACTIVE)
    assert 1 < len(done.transactions) < len(done.commands)
    return done


async def a_finalization(adapter: Any, pool: Any) -> Done:
    deal = pool.buy()
    pool.initialize(deal, 0)
    pool.contribute(deal)
    pool.reveal(deal)
    await adapter.api.Finalize(pb.FinalizeRequest(task_id=task_hex(deal), result_link="{}"))
    return Done(FINALIZE, [await adapter.outcome(task_hex(deal), FINALIZE)], ChainTaskStatus.COMPLETED)


async def a_claim(adapter: Any, pool: Any) -> Done:
    deal = pool.buy()
    pool.initialize(deal, 0)
    pool.chain.chain.increase_time(3_001)
    await adapter.api.Claim(pb.ClaimRequest(task_id=task_hex(deal)))
    return Done(CLAIM, [await adapter.outcome(task_hex(deal), CLAIM)], ChainTaskStatus.FAILED)


async def reported(adapter: Any, done: Done, condition: Callable[[Any], bool]) -> list[Any]:
    """Wait for a condition of all commands, by polling: a watch of an ended command ends at once."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            requests = (pb.GetCommandRequest(task_id=each.task_id, kind=each.kind) for each in done.commands)
            answers = await asyncio.gather(*(adapter.api.GetCommand(request) for request in requests))
            if all(condition(answer.command) for answer in answers):
                return [answer.command for answer in answers]
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize(
    "work",
    [one_initialization, several_with_a_batch, a_finalization, a_claim],
    ids=lambda work: work.__name__,
)
async def test_reorged_transactions_are_mined_again_without_another_request(
    launch: Callable[..., Awaitable[Any]],
    pool: Any,
    work: Callable[[Any, Any], Awaitable[Done]],
    restarted: bool,
) -> None:
    before = pool.owner_nonce()
    adapter = await (await launch()).ready()
    done = await work(adapter, pool)
    pool.stop_mining()
    adapter.pause()
    pool.chain.chain.reorganise(done.first_block)
    assert pool.owner_nonce() == before
    if restarted:
        await adapter.kill()
        adapter = await (await launch()).ready()
    adapter.pause(False)
    reorged = await reported(adapter, done, lambda command: command.state == PROCESSING)
    assert [(each.block_number, each.gas_used) for each in reorged] == [(0, 0)] * len(reorged)
    await pool.in_node(len(done.transactions))
    following = [asyncio.create_task(adapter.outcome(each.task_id, each.kind)) for each in reorged]
    pool.mine()
    again = await asyncio.gather(*following)
    assert {command.state for command in again} == {SUCCESS}
    # The same transactions in another block, and no others.
    assert [each.transaction_hash for each in again] == [each.transaction_hash for each in done.commands]
    assert [each.attempts for each in again] == [each.attempts for each in done.commands]
    assert {each.block_number for each in again} == {int(pool.chain.chain.rpc.call("eth_blockNumber"), 16)}
    assert pool.owner_nonce() == before + len(done.transactions)
    for command in again:
        assert (await pool.task(command.task_id)).status is done.status


async def test_a_reorged_command_requested_again_at_once_is_sent_once(adapter: Any, pool: Any) -> None:
    """The caller follows the chain too, and may be faster than the adapter."""
    before, done = pool.owner_nonce(), await one_initialization(adapter, pool)
    pool.stop_mining()
    adapter.pause()
    pool.chain.chain.reorganise(done.first_block)
    (command,) = done.commands
    request = pb.InitializeRequest(deal_id=command.deal_id, task_index=command.task_index)
    asking = asyncio.ensure_future(adapter.api.Initialize(request))
    adapter.pause(False)
    assert (await asking).command.transaction_hash == command.transaction_hash
    await pool.in_node(1)
    pool.mine()
    assert (await adapter.outcome(command.task_id, INITIALIZE)).state == SUCCESS
    assert pool.owner_nonce() == before + 1


async def test_a_transaction_that_a_reorg_moved_reports_its_new_block(
    adapter: Any, pool: Any, mongod: Database, database_name: str
) -> None:
    before, done = pool.owner_nonce(), await one_initialization(adapter, pool)
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        (journaled,) = client[database_name]["entries"].find()
    pool.mine(2)
    pool.chain.chain.reorganise(done.first_block, (to_hex(journaled["versions"][0]["raw"]), 1))
    (moved,) = await reported(adapter, done, lambda command: command.block_number == done.first_block + 1)
    assert moved.state == SUCCESS
    assert pool.owner_nonce() == before + 1


async def test_a_kill_between_reorged_transaction_and_its_commands_is_repaired(
    launch: Callable[..., Awaitable[Any]], pool: Any, mongod: Database, database_name: str
) -> None:
    """The journal has the transaction as pending and its command as succeeded."""
    before = pool.owner_nonce()
    adapter = await (await launch()).ready()
    done = await one_initialization(adapter, pool)
    pool.stop_mining()
    await adapter.kill()
    pool.chain.chain.reorganise(done.first_block)
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        client[database_name]["entries"].update_many({}, {"$set": {"state": "SIGNED", "receipt": None}})
        client[database_name]["commands"].update_many({}, {"$set": {"state": "SUCCESS"}})
    adapter = await (await launch()).ready()
    await reported(adapter, done, lambda command: command.state == PROCESSING)
    await pool.in_node(1)
    pool.mine()
    (again,) = await reported(adapter, done, lambda command: command.state == SUCCESS)
    assert again.block_number > done.first_block
    assert pool.owner_nonce() == before + 1
