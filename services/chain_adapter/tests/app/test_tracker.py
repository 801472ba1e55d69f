"""What the tracker does about transactions that are mined, lost, stuck or blocked."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from workerpool_chain_adapter.app.tracker import LOST_AFTER_BLOCKS, STUCK_AFTER_BLOCKS
from workerpool_chain_adapter.domain.command import Command, CommandState
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.statuses import ChainTaskStatus

World = Any


async def test_a_mined_transaction_ends_its_command_with_block_and_gas(world: World) -> None:
    sent = await world.sent()
    assert sent.state is CommandState.PROCESSING
    await world.block()
    done = await world.command()
    assert (done.state, done.transaction_hash) == (CommandState.SUCCESS, sent.transaction_hash)
    assert (done.block_number, done.gas_used) == (world.chain.heads.latest.number, 90_000)
    assert len(world.pipeline.in_flight) == 0
    assert await world.transactions.pending() == []


async def test_a_reverted_transaction_of_which_the_effect_is_there_is_a_success(world: World) -> None:
    sent = await world.sent()
    world.chain.reverting.update(each.data for each in world.pipeline.in_flight.in_order())
    world.chain.statuses[sent.key.task_id] = ChainTaskStatus.FAILED
    await world.block()
    done = await world.command()
    assert (done.state, done.block_number, done.transaction_hash) == (CommandState.SUCCESS, 0, "")


async def test_a_reverted_transaction_is_tried_again_until_the_attempts_are_used_up(world: World) -> None:
    await world.sent()
    world.chain.reverting.update(each.data for each in world.pipeline.in_flight.in_order())
    for attempt in range(1, 5):
        await world.block()
        assert (await world.command()).state is CommandState.RECEIVED
        await world.pipeline.sender.round()
        assert (await world.command()).attempts == attempt + 1
    await world.block()
    failed = await world.command()
    assert (failed.state, failed.error_reason) == (CommandState.FAILURE, "TRANSACTION_REVERTED")


async def test_a_used_nonce_counts_as_lost_only_after_several_blocks(world: World) -> None:
    """Nodes behind one address may be a block apart."""
    await world.sent()
    world.chain.use_nonce_elsewhere()
    world.follow()
    await world.pipeline.tracker.look()
    for _ in range(LOST_AFTER_BLOCKS):
        assert (await world.command()).state is CommandState.PROCESSING
        await world.block()
    assert (await world.command()).state is CommandState.RECEIVED
    assert world.pipeline.sender.next_nonce is None, "the node is asked for the nonce again"
    await world.pipeline.sender.round()
    await world.block()
    assert (await world.command()).state is CommandState.SUCCESS


async def test_a_transaction_that_the_node_forgot_is_sent_again(world: World) -> None:
    sent = await world.sent()
    world.chain.forget_pool()
    await world.block(STUCK_AFTER_BLOCKS - 1, empty=True)
    assert world.chain.in_pool == []
    await world.block(empty=True)
    (again,) = world.chain.in_pool
    # The lowest nonce is replaced as well, because it has waited for as long.
    assert again != sent.transaction_hash
    await world.block()
    assert (await world.command()).state is CommandState.SUCCESS


async def test_only_the_lowest_nonce_is_replaced_when_transactions_are_stuck(world: World) -> None:
    first, second = await world.sent(1), await world.sent(2)
    await world.block(STUCK_AFTER_BLOCKS, empty=True)
    replaced, unchanged = await world.command(1), await world.command(2)
    assert (replaced.attempts, unchanged.attempts) == (2, 1)
    assert replaced.transaction_hash != first.transaction_hash
    assert world.chain.in_pool == [replaced.transaction_hash, second.transaction_hash]
    journaled = await world.transactions.pending()
    assert [len(each.versions) for each in journaled] == [2, 1]
    paid, pays = (version.gas_price for version in journaled[0].versions)
    assert pays >= paid * 115 // 100


@pytest.mark.parametrize("policy", [GasPolicy(cap=1_000), GasPolicy(multiplier=0), GasPolicy(cap=0)])
async def test_a_replacement_does_not_exceed_the_gas_policy(
    build_world: Callable[..., World], policy: GasPolicy
) -> None:
    world = build_world(policy=policy)
    sent = await world.sent()
    await world.block(STUCK_AFTER_BLOCKS + 1, empty=True)
    assert (await world.command()).attempts == 1
    assert world.chain.in_pool == [sent.transaction_hash]


async def test_a_transaction_that_reached_no_node_is_sent_at_the_next_look(world: World) -> None:
    await world.sent(1)
    await world.claim(2)
    send, world.chain.send = world.chain.send, _unreachable
    await world.pipeline.sender.round()
    assert len(world.chain.in_pool) == 1
    world.chain.send = send
    await world.block(empty=True)
    assert len(world.chain.in_pool) == 2


async def _unreachable(_: object) -> None:
    raise ChainUnreachable("no node")


async def test_an_unused_nonce_below_those_in_flight_is_filled(world: World) -> None:
    """The node counted a transaction of another process, and then forgot it."""
    other = world.chain.sign(0, 21_000, 1_000, b"other")
    await world.chain.send([other])
    await world.sent()
    assert [each.nonce for each in world.pipeline.in_flight.in_order()] == [1]
    world.chain.forget_pool()
    await world.block(1 + LOST_AFTER_BLOCKS, empty=True)
    await world.pipeline.sender.round()
    assert [(each.nonce, each.data) for each in world.pipeline.in_flight.in_order()] == [
        (0, b""),
        (1, world.pipeline.in_flight.in_order()[1].data),
    ]
    await world.block(STUCK_AFTER_BLOCKS)
    assert (await world.command()).state is CommandState.SUCCESS


async def test_an_outage_leaves_everything_as_it_was(world: World) -> None:
    sent = await world.sent()
    world.chain.outage = ChainUnreachable("no node")
    with pytest.raises(ChainUnreachable):
        await world.pipeline.tracker.look()
    assert await world.command() == sent
    world.chain.outage = None
    await world.block()
    assert (await world.command()).state is CommandState.SUCCESS


async def test_a_reorg_puts_commands_in_flight_and_the_same_bytes_are_mined_again(world: World) -> None:
    done = await world.done()
    world.chain.reorganise(1)
    world.follow()
    await world.pipeline.tracker.look()
    reorged = await world.command()
    assert (reorged.state, reorged.block_number) == (CommandState.PROCESSING, 0)
    assert world.chain.in_pool == [done.transaction_hash]
    await world.block()
    again = await world.command()
    assert (again.state, again.transaction_hash) == (CommandState.SUCCESS, done.transaction_hash)
    assert (again.attempts, again.block_number) == (done.attempts, done.block_number + 1)


async def test_the_loops_bring_a_command_to_its_end_without_a_call(world: World) -> None:
    tracker, sender = world.pipeline.tracker, world.pipeline.sender
    loops = [asyncio.create_task(each) for each in (tracker.run(), tracker.follow_heads(), sender.run())]
    try:
        async with asyncio.timeout(10):
            command = await world.claim()
            states: list[Command] = []
            async for change in world.pipeline.commands.watch(command.key):
                states.append(change)
                if change.state is CommandState.PROCESSING:
                    while not world.chain.in_pool:
                        await asyncio.sleep(0)
                    world.chain.mine()
        assert states[-1].state is CommandState.SUCCESS
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
