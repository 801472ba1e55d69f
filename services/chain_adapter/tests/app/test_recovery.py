"""A process that was killed at any point resumes from its journals, and sends nothing twice."""

from typing import Any

from workerpool_chain_adapter.app import recovery
from workerpool_chain_adapter.domain.command import CommandKey, CommandKind, CommandState
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_chain_adapter.domain.transaction import TransactionState
from workerpool_poco.protocol.statuses import ChainTaskStatus

World = Any


async def test_a_command_in_no_transaction_is_sent_after_the_restart(world: World) -> None:
    await world.claim()
    await world.restart()
    await world.pipeline.sender.round()
    await world.block()
    assert (await world.command()).state is CommandState.SUCCESS


async def test_a_command_whose_effect_appeared_meanwhile_is_not_sent(world: World) -> None:
    command = await world.claim()
    world.chain.statuses[command.key.task_id] = ChainTaskStatus.FAILED
    await world.restart()
    await world.pipeline.sender.round()
    done = await world.command()
    assert (done.state, done.attempts) == (CommandState.SUCCESS, 0)
    assert world.chain.in_pool == []


async def test_a_journaled_transaction_that_no_node_has_is_sent_with_the_same_bytes(world: World) -> None:
    sent = await world.sent()
    world.chain.forget_pool()
    await world.restart(GasPolicy(multiplier=3))
    await world.pipeline.tracker.look()
    assert world.chain.in_pool == [sent.transaction_hash]
    await world.block()
    assert (await world.command()).transaction_hash == sent.transaction_hash


async def test_a_transaction_mined_during_the_stop_ends_its_command(world: World) -> None:
    sent = await world.sent()
    world.chain.mine()
    await world.restart()
    await world.pipeline.tracker.look()
    done = await world.command()
    assert (done.state, done.transaction_hash) == (CommandState.SUCCESS, sent.transaction_hash)


async def test_a_kill_between_transaction_and_command_is_repaired(world: World) -> None:
    """The transaction is journaled first, so the command may still be RECEIVED."""
    sent = await world.sent()
    received = await _as_received(world)
    assert received.state is CommandState.RECEIVED
    await world.restart()
    assert (await world.command()).transaction_hash == sent.transaction_hash
    assert (await world.command()).state is CommandState.PROCESSING
    await world.pipeline.sender.round()
    assert world.chain.in_pool == [sent.transaction_hash], "no second transaction"


async def _as_received(world: World) -> Any:
    key = CommandKey((await world.command()).key.task_id, CommandKind.CLAIM)
    command = await world.journal.get(key)
    await world.journal.save([command.requeued(0.0)])
    return await world.journal.get(key)


async def test_a_command_whose_transaction_ended_without_it_is_requeued(world: World) -> None:
    await world.sent()
    (pending,) = await world.transactions.pending()
    await world.transactions.save([pending.ended(TransactionState.REPLACED)])
    world.chain.forget_pool()
    await world.restart()
    assert (await world.command()).state is CommandState.RECEIVED


async def test_a_reorg_during_the_stop_is_found(world: World) -> None:
    done = await world.done()
    world.chain.reorganise(1)
    await world.restart()
    await world.pipeline.tracker.look()
    assert (await world.command()).state is CommandState.PROCESSING
    assert world.chain.in_pool == [done.transaction_hash]


async def test_a_kill_between_reorged_transaction_and_its_command_is_repaired(world: World) -> None:
    done = await world.done()
    (mined,) = await world.transactions.last_mined(1)
    await world.transactions.save([mined.pending_again(1)])
    await world.restart()
    assert (await world.command()).state is CommandState.PROCESSING
    await world.pipeline.tracker.look()
    assert await world.command() == done, "it was mined all the time"


async def test_a_new_process_continues_with_the_next_nonce(world: World) -> None:
    await world.sent(1)
    await world.restart()
    await world.sent(2)
    assert [each.nonce for each in await world.transactions.pending()] == [0, 1]


async def test_an_active_command_in_its_transaction_is_resumed_unchanged(world: World) -> None:
    sent = await world.sent()
    (transaction,) = await world.transactions.pending()
    assert recovery._resumed(sent, transaction, 9.0) is sent
    replaced = transaction.replaced_by(world.chain.sign(0, 1, 2, b""), 1)
    assert recovery._resumed(sent, replaced, 9.0).transaction_hash == replaced.latest.hash
