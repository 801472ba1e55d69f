"""Requests for commands: what is journaled, what is refused, and what a second request returns."""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import pytest
from workerpool_chain_adapter.app.commands import Commands
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind, CommandState
from workerpool_chain_adapter.errors import BadArgument, ChainUnavailable, CommandNotFound, Refused
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.ids import DealId, TaskId, task_id_of
from workerpool_poco.protocol.statuses import ChainTaskStatus

World = Any
UNREACHABLE = ChainUnreachable("no node")


async def test_a_request_is_journaled_before_it_is_answered(world: World) -> None:
    command = await world.claim()
    assert command.state is CommandState.RECEIVED
    assert await world.journal.live() == [command]
    assert world.assembly.active.waiting() == [command]


async def test_requests_at_once_are_one_command_and_one_transaction(world: World) -> None:
    commands = await asyncio.gather(*(world.claim() for _ in range(20)))
    assert len(set(commands)) == 1
    await world.round()
    assert [each.nonce for each in world.live()] == [0]


async def test_a_caller_that_disconnects_does_not_lose_the_command(world: World) -> None:
    request = asyncio.create_task(world.claim())
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    async with asyncio.timeout(5):
        while not world.assembly.active.waiting():
            await asyncio.sleep(0)
    assert (await world.command()).state is CommandState.RECEIVED


async def test_a_refusal_after_a_disconnection_is_no_unhandled_error(world: World) -> None:
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    world.chain.statuses[command_key(world, 1).task_id] = ChainTaskStatus.COMPLETED
    request = asyncio.create_task(world.claim())
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    async with asyncio.timeout(5):
        while any(task.get_name().startswith("admit ") for task in asyncio.all_tasks()):
            await asyncio.sleep(0)
    await asyncio.sleep(0)  # the callbacks of the ended task
    gc.collect()
    assert unhandled == []


async def test_an_effect_that_is_there_is_a_success_without_a_transaction(world: World) -> None:
    world.chain.statuses[(await world.claim(2)).key.task_id] = ChainTaskStatus.FAILED
    command = await world.assembly.commands.claim((await world.command(2)).key.task_id)
    assert command.state is CommandState.RECEIVED, "it is active; the submitter finds out"
    world.chain.statuses[command_key(world, 3).task_id] = ChainTaskStatus.FAILED
    assert (await world.claim(3)).state is CommandState.SUCCESS


def command_key(world: World, number: int) -> CommandKey:
    return CommandKey(TaskId("0x" + f"{number:02x}" * 32), CommandKind.CLAIM)


async def test_a_request_that_the_contract_would_refuse_is_not_journaled(world: World) -> None:
    world.chain.statuses[command_key(world, 1).task_id] = ChainTaskStatus.COMPLETED
    with pytest.raises(Refused) as refused:
        await world.claim()
    assert refused.value.reason == "TASK_COMPLETED"
    with pytest.raises(CommandNotFound):
        await world.command()


async def test_a_success_is_returned_although_the_task_has_moved_on(world: World) -> None:
    done = await world.done()
    world.chain.statuses[done.key.task_id] = ChainTaskStatus.COMPLETED
    assert await world.claim() == done


async def test_a_claim_names_the_deal_and_index_of_its_own_task(world: World) -> None:
    deal = DealId("0x" + "dd" * 32)
    with pytest.raises(BadArgument, match="task 1 of deal"):
        await world.assembly.commands.claim(task_id_of(deal, 0), deal, 1)
    command = await world.assembly.commands.claim(task_id_of(deal, 1), deal, 1)
    assert (command.deal_id, command.task_index) == (deal, 1)


async def test_requests_that_are_being_accepted_are_reported_by_kind(world: World) -> None:
    request = asyncio.create_task(world.claim())
    await asyncio.sleep(0)
    accepting = world.assembly.commands.accepting
    assert [accepting(kind) for kind in (CommandKind.CLAIM, CommandKind.INITIALIZE)] == [True, False]
    await request
    await asyncio.sleep(0)
    assert not accepting(CommandKind.CLAIM)


async def test_an_unreachable_node_journals_nothing(world: World) -> None:
    world.chain.is_down = True
    with pytest.raises(ChainUnavailable):
        await world.claim()
    assert await world.journal.live() == []


async def test_an_effect_that_a_reorg_removed_comes_from_the_same_transaction_again(world: World) -> None:
    """The caller follows the chain too, and may be faster than the pipeline."""
    done = await world.done()
    world.chain.reorganise(1)
    again = await world.claim()
    assert (again.state, again.transaction_hash) == (CommandState.PROCESSING, done.transaction_hash)
    assert not world.assembly.active.waiting()


async def test_an_effect_that_another_call_undid_takes_a_new_transaction(world: World) -> None:
    await world.done()
    again = await world.claim()
    assert (again.state, again.transaction_hash) == (CommandState.RECEIVED, "")
    assert world.assembly.active.waiting() == [again]


async def test_nothing_is_sent_while_the_old_transaction_cannot_be_looked_for(world: World) -> None:
    await world.done()
    receipts = world.chain.receipts

    async def unreachable(_: object) -> None:
        raise UNREACHABLE

    world.chain.receipts = unreachable
    with pytest.raises(ChainUnavailable):
        await world.claim()
    assert not world.assembly.active.waiting()
    world.chain.receipts = receipts
    assert (await world.claim()).state is CommandState.RECEIVED


async def test_a_command_whose_journal_answer_was_lost_is_sent_when_requested_again(world: World) -> None:
    """It is in the journal, but not active."""
    add = world.journal.add

    async def add_and_lose_the_answer(commands: Sequence[Command]) -> None:
        await add(commands)
        raise DatabaseUnavailable("the answer was lost")

    world.journal.add = add_and_lose_the_answer
    await world.restart()
    with pytest.raises(DatabaseUnavailable):
        await world.claim()
    assert not world.assembly.active.waiting()
    world.journal.add = add
    (journaled,) = await world.journal.live()
    again = _without_restart(world)
    assert await again.claim(journaled.key.task_id) == journaled
    assert world.assembly.active.waiting() == [journaled]


def _without_restart(world: World) -> Commands:
    """Return the same process's use cases, whose batcher calls the journal's current `add`."""
    commands: Commands = world.assembly.commands
    commands._add._write = world.journal.add
    return commands


async def test_a_success_on_its_way_to_the_journal_counts_more_than_what_is_journaled(world: World) -> None:
    sent = await world.sent()
    await world.journal.save([sent.requeued(0.0)])
    world.chain.statuses[sent.key.task_id] = ChainTaskStatus.FAILED
    done = sent.succeeded(9.0, block_number=7)
    world.assembly.active.show(done)
    assert await world.claim() == done


async def test_a_success_that_reached_the_journal_meanwhile_counts_more_than_the_form_before(
    world: World,
) -> None:
    sent = await world.sent()
    await world.restart()
    done = sent.succeeded(9.0, block_number=7)
    world.chain.statuses[sent.key.task_id] = ChainTaskStatus.FAILED
    add = world.journal.add

    async def add_and_change(commands: Sequence[Command]) -> list[Command | None]:
        before: list[Command | None] = await add(commands)
        await world.assembly.active.record(done)
        return before

    world.assembly.commands._add._write = add_and_change
    world.assembly.active.show(sent.failed(8.0, "R", "t"))
    assert await world.claim() == done
    assert not world.assembly.active.waiting()


async def test_a_failed_command_is_restarted_by_a_new_request(world: World) -> None:
    await world.claim()
    failed = (await world.command()).failed(5.0, "REASON", "text")
    await world.assembly.active.record(failed)
    again = await world.claim()
    assert (again.state, again.error_reason, again.created_at) == (
        CommandState.RECEIVED,
        "",
        failed.created_at,
    )


async def test_a_watch_yields_each_change_and_ends_with_the_command(world: World) -> None:
    command = await world.claim()
    seen: list[CommandState] = []

    async def watch() -> None:
        async for change in world.assembly.commands.watch(command.key):
            seen.append(change.state)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await world.round()
    await world.block()
    async with asyncio.timeout(5):
        await watching
    assert seen == [CommandState.RECEIVED, CommandState.PROCESSING, CommandState.SUCCESS]


async def test_watching_an_unknown_command_is_refused(world: World) -> None:
    with pytest.raises(CommandNotFound, match="CLAIM"):
        await anext(world.assembly.commands.watch(command_key(world, 1)))
