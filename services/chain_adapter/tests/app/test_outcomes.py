"""What becomes of commands when the transactions that serve them move."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from workerpool_chain_adapter.app.outcomes import keys_of
from workerpool_chain_adapter.app.reconciler import MAX_REVERTS
from workerpool_chain_adapter.domain.command import CommandState
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_transactions.domain.entry import EntryState

World = Any
NOT_MINED = [EntryState.REVERTED, EntryState.DISPLACED, EntryState.REFUSED]


async def test_a_mined_transaction_is_the_success_of_its_commands(world: World) -> None:
    await world.claim(1)
    await world.claim(2)
    await world.round()
    await world.until(lambda: bool(world.chain.pool))
    await world.block()
    (entry,) = world.entries.entries.values()
    assert [key.task_id for key in keys_of(entry)] == ["0x" + "01" * 32, "0x" + "02" * 32]
    for number in (1, 2):
        done = await world.command(number)
        assert done.state is CommandState.SUCCESS
        assert done.transaction_hash == entry.receipt.hash
        assert (done.block_number, done.gas_used) == (entry.receipt.block_number, entry.receipt.gas_used)


@pytest.mark.parametrize("state", NOT_MINED)
async def test_an_ended_transaction_without_effect_has_its_command_planned_again(
    world: World, state: EntryState
) -> None:
    await world.sent()
    (entry,) = world.live()
    await world.assembly.outcomes.settle([entry.ended(state, 1.0)])
    again = await world.command()
    assert again.state is CommandState.RECEIVED
    assert again.reverts == (0 if state is EntryState.DISPLACED else 1)
    assert await world.journal.live() == [again]


async def test_a_command_is_checked_before_it_is_sent_again(world: World) -> None:
    """The transaction of another wallet used the nonce, or reverted because the effect was there."""
    sent = await world.sent()
    (entry,) = world.live()
    await world.assembly.outcomes.settle([entry.ended(EntryState.REVERTED, 1.0)])
    world.chain.statuses[sent.key.task_id] = ChainTaskStatus.FAILED
    await world.round()
    assert (await world.command()).state is CommandState.SUCCESS
    assert len(world.entries.entries) == 1


async def test_reverts_fail_a_command_and_displaced_nonces_do_not(world: World) -> None:
    """Two wallets' owners, or two adapters of one wallet, may displace any number of transactions."""
    for _ in range(2 * MAX_REVERTS):
        await world.sent()
        world.chain.use_nonce()
        world.follow()
        await world.until(lambda: not world.live())
    assert (await world.command()).state is CommandState.RECEIVED
    for _ in range(MAX_REVERTS):
        await world.sent()
        world.chain.reverts |= set(world.chain.pool.values())
        await world.block()
    await world.round()
    failed = await world.command()
    assert (failed.state, failed.error_reason) == (CommandState.FAILURE, "TRANSACTION_REVERTED")


async def test_a_replaced_transaction_is_shown_before_it_is_sent(world: World) -> None:
    first = await world.sent()
    for _ in range(20):
        # Blocks without room for it.
        world.chain.mine(0)
        world.follow()
        await asyncio.sleep(1.0)
    await world.until(lambda: len(world.live()[0].versions) == 2)
    second = await world.command()
    assert (second.state, second.attempts) == (CommandState.PROCESSING, 2)
    assert second.transaction_hash == world.live()[0].latest.hash != first.transaction_hash
    assert await world.journal.live() == [second]
    await world.until(lambda: bool(world.in_pool(second)))


async def test_a_reorg_returns_a_command_to_its_transaction(world: World) -> None:
    done = await world.done()
    world.chain.reorganise(1)
    world.follow()
    await world.until(lambda: bool(world.live()))
    back = await world.command()
    assert (back.state, back.transaction_hash) == (CommandState.PROCESSING, done.transaction_hash)
    assert (back.block_number, back.gas_used, back.attempts) == (0, 0, 1)
    await world.until(lambda: bool(world.in_pool(back)))
    await world.block()
    assert (await world.command()).state is CommandState.SUCCESS


async def test_a_transaction_that_a_reorg_moved_has_its_new_block(world: World) -> None:
    done = await world.done()
    (entry,) = world.entries.entries.values()
    moved = entry.ended(EntryState.MINED, 1.0, replace(entry.receipt, block_number=9, gas_used=8))
    await world.assembly.outcomes.settle([moved])
    again = await world.command()
    assert again == replace(done, block_number=9, gas_used=8)
    assert await world.journal.get(done.key) == again


async def test_what_is_repeated_after_a_crash_changes_nothing(world: World) -> None:
    done = await world.done()
    (entry,) = world.entries.entries.values()
    await world.assembly.outcomes.settle([entry])
    assert await world.command() == done
    await world.assembly.outcomes.restore([entry])
    back = await world.command()
    await world.assembly.outcomes.restore([entry])
    assert await world.command() == back
    assert back.state is CommandState.PROCESSING


async def test_a_failed_command_stays_failed_when_its_transaction_is_in_flight_again(world: World) -> None:
    done = await world.done()
    (entry,) = world.entries.entries.values()
    failed = replace(done, state=CommandState.FAILURE)
    await world.journal.save([failed])
    await world.assembly.outcomes.restore([entry])
    assert await world.command() == failed
