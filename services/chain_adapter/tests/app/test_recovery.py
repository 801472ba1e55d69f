"""A process that was killed at any point resumes from its journals, and sends nothing twice."""

from dataclasses import replace
from typing import Any

from workerpool_chain_adapter.app.recovery import resume
from workerpool_chain_adapter.domain.command import CommandKey, CommandKind, CommandState
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_transactions.domain.entry import EntryState
from workerpool_transactions.domain.fees import FeePolicy

World = Any


async def journaled(world: World, number: int = 1) -> Any:
    """Return a claim as the journal holds it."""
    return await world.journal.get((await world.command(number)).key)


async def test_a_command_in_no_transaction_is_sent_after_the_restart(world: World) -> None:
    await world.claim()
    await world.restart()
    await world.round()
    await world.until(lambda: bool(world.chain.pool))
    await world.block()
    assert (await world.command()).state is CommandState.SUCCESS


async def test_a_command_whose_effect_appeared_meanwhile_is_not_sent(world: World) -> None:
    command = await world.claim()
    world.chain.statuses[command.key.task_id] = ChainTaskStatus.FAILED
    await world.restart()
    await world.round()
    done = await world.command()
    assert (done.state, done.attempts) == (CommandState.SUCCESS, 0)
    assert world.live() == []


async def test_a_journaled_transaction_that_no_node_has_is_sent_with_the_same_bytes(world: World) -> None:
    sent = await world.sent()
    world.chain.pool.clear()
    world.policy = FeePolicy(multiplier=3)
    await world.restart()
    await world.until(lambda: bool(world.in_pool(sent)))
    await world.block()
    assert (await world.command()).transaction_hash == sent.transaction_hash


async def test_a_transaction_mined_during_the_stop_ends_its_command(world: World) -> None:
    sent = await world.sent()
    await world.stop()
    world.chain.mine()
    await world.restart()
    await world.until(lambda: not world.live())
    done = await world.command()
    assert (done.state, done.transaction_hash) == (CommandState.SUCCESS, sent.transaction_hash)


async def test_a_kill_between_transaction_and_command_is_repaired(world: World) -> None:
    """The transaction is journaled first, so the command may still be RECEIVED."""
    sent = await world.sent()
    await world.stop()
    await world.journal.save([replace(sent, state=CommandState.RECEIVED, transaction_hash="", attempts=0)])
    await world.restart()
    assert await journaled(world) == replace(sent, updated_at=(await journaled(world)).updated_at)
    await world.round()
    assert [each.nonce for each in world.live()] == [0], "no second transaction"


async def test_a_command_whose_transaction_ended_without_it_waits_for_a_check(world: World) -> None:
    sent = await world.sent()
    await world.stop()
    (entry,) = world.live()
    await world.entries.save([entry.ended(EntryState.DISPLACED, 1.0)])
    world.chain.pool.clear()
    world.chain.use_nonce()
    await world.restart()
    assert (await world.command()).state is CommandState.RECEIVED
    await world.round()
    again = await world.command()
    assert (again.state, again.attempts) == (CommandState.PROCESSING, 2)
    assert again.transaction_hash != sent.transaction_hash


async def test_a_kill_between_the_end_of_a_command_and_of_its_transaction_is_repaired(world: World) -> None:
    """The command is settled first; the entry is still live in the journal."""
    sent = await world.sent()
    await world.stop()
    await world.journal.save([sent.succeeded(9.0, block_number=3, gas_used=7)])
    world.chain.mine()
    await world.restart()
    assert (await world.command()).state is CommandState.PROCESSING, "until its receipt is seen"
    await world.until(lambda: not world.live())
    done = await world.command()
    assert (done.state, done.attempts) == (CommandState.SUCCESS, 1)


async def test_a_kill_after_a_revert_was_settled_counts_it_again_at_most(world: World) -> None:
    sent = await world.sent()
    await world.stop()
    await world.journal.save([sent.requeued(9.0, reverted=True)])
    world.chain.reverts.add(world.chain.pool[0])
    world.chain.mine()
    await world.restart()
    assert (await world.command()).attempts == 1, "the same transaction is no new attempt"
    await world.until(lambda: not world.live())
    assert (await world.command()).state is CommandState.RECEIVED


async def test_a_reorg_during_the_stop_is_found(world: World) -> None:
    done = await world.done()
    await world.stop()
    world.chain.reorganise(1)
    await world.restart()
    await world.until(lambda: bool(world.in_pool(done)))
    assert (await world.command()).state is CommandState.PROCESSING


async def test_a_kill_between_reorged_transaction_and_its_command_is_repaired(world: World) -> None:
    done = await world.done()
    await world.stop()
    (mined,) = await world.entries.last_mined(0.0)
    await world.entries.save([mined.live_again(1.0)])
    await world.restart()
    assert (await world.command()).state is CommandState.PROCESSING
    await world.until(lambda: not world.live())
    again = await world.command()
    assert replace(again, updated_at=0.0) == replace(done, updated_at=0.0), "it was mined all the time"


async def test_a_new_process_continues_with_the_next_nonce(world: World) -> None:
    await world.sent(1)
    await world.restart()
    await world.sent(2)
    assert [each.nonce for each in world.live()] == [0, 1]


async def test_a_command_between_two_live_transactions_is_in_the_newer(world: World) -> None:
    """The first is about to end without effect; its end was not journaled before the kill."""
    sent = await world.sent()
    await world.stop()
    (first,) = world.live()
    newer = replace(first, nonce=1, versions=(replace(first.latest, hash="0xbb", raw=b"1,second"),))
    await world.entries.add([newer])
    world.assembly = world._build()
    await resume(
        commands=world.journal, entries=world.entries, active=world.assembly.active, clock=world.clock
    )
    command = await world.command()
    assert (command.state, command.transaction_hash) == (CommandState.PROCESSING, "0xbb")
    await world.assembly.outcomes.settle([first.ended(EntryState.DISPLACED, 2.0)])
    assert await world.command() == command, "the end of the older one does not concern it"
    assert sent.key == CommandKey(command.key.task_id, CommandKind.CLAIM)
