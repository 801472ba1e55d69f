"""How waiting commands become transactions, and what a node's refusal of an estimate means for them."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.sender import broadcast
from workerpool_chain_adapter.domain.command import CommandKind, CommandState
from workerpool_chain_adapter.domain.planning import Plan
from workerpool_chain_adapter.domain.sending import GasEstimate
from workerpool_poco.errors import ChainUnreachable

World = Any

REVERTS = GasEstimate(None, "execution reverted", would_revert=True)
BUSY = GasEstimate(None, "request rate limited")


async def claims(world: World, count: int) -> list[Any]:
    """Request the claims of some tasks."""
    return [await world.claim(number) for number in range(1, count + 1)]


def data(*commands: Any) -> bytes:
    return Plan(CommandKind.CLAIM, tuple(commands)).data


async def test_commands_that_wait_together_share_a_transaction(world: World) -> None:
    commands = await claims(world, 3)
    await world.pipeline.sender.round()
    (pending,) = await world.transactions.pending()
    assert pending.keys == tuple(each.key for each in commands)
    assert world.chain.in_pool == [pending.latest.hash]


async def test_a_transaction_is_journaled_before_it_is_sent(world: World) -> None:
    await world.claim()
    sent: list[list[Any]] = []
    send = world.chain.send

    async def note(versions: Any) -> Any:
        sent.append([each.latest for each in await world.transactions.pending()])
        return await send(versions)

    world.chain.send = note
    await world.pipeline.sender.round()
    (journaled,) = sent
    assert [each.hash for each in journaled] == world.chain.in_pool


async def test_the_number_in_flight_is_limited(build_world: Callable[..., World]) -> None:
    world = build_world(max_in_flight=2)
    for number in range(1, 5):
        await world.sent(number)
    assert len(world.chain.in_pool) == 2
    assert len(world.pipeline.active.waiting()) == 2
    await world.block()
    await world.pipeline.sender.round()
    assert world.pipeline.active.waiting() == []


async def test_a_command_that_would_revert_is_not_sent_and_fails(world: World) -> None:
    (command,) = await claims(world, 1)
    world.chain.refusing[data(command)] = REVERTS
    await world.pipeline.sender.round()
    failed = await world.command()
    assert (failed.state, failed.error_reason) == (CommandState.FAILURE, "TRANSACTION_WOULD_REVERT")
    assert world.chain.in_pool == []


async def test_a_batch_that_would_revert_is_sent_without_the_command_at_fault(world: World) -> None:
    commands = await claims(world, 3)
    world.chain.refusing = {data(*commands): REVERTS, data(commands[1]): REVERTS}
    await world.pipeline.sender.round()
    states = [(await world.command(number)).state for number in (1, 2, 3)]
    assert states == [CommandState.PROCESSING, CommandState.FAILURE, CommandState.PROCESSING]
    assert len(world.chain.in_pool) == 2


async def test_a_node_in_trouble_fails_no_command(world: World) -> None:
    """The scheduler gives up a task whose command fails: a busy node must not cause that."""
    commands = await claims(world, 3)
    world.chain.refusing[data(*commands)] = BUSY
    with pytest.raises(ChainUnreachable, match="cannot estimate gas: request rate limited"):
        await world.pipeline.sender.round()
    assert world.pipeline.active.waiting() == commands
    world.chain.refusing.clear()
    await world.pipeline.sender.round()
    assert world.pipeline.active.waiting() == []


async def test_nonces_follow_those_of_the_node(world: World) -> None:
    world.chain.use_nonce_elsewhere()
    await world.sent()
    assert [each.nonce for each in await world.transactions.pending()] == [1]


async def test_a_broadcast_to_an_unreachable_node_leaves_everything_unsent(world: World) -> None:
    await world.sent()
    pending = await world.transactions.pending()
    in_flight = InFlight()
    in_flight.put(pending)
    world.chain.outage = ChainUnreachable("no node")
    await broadcast(world.chain, in_flight, pending)
    assert in_flight.is_unsent(pending[0].nonce)
    world.chain.outage = None
    await broadcast(world.chain, in_flight, pending)
    assert not in_flight.is_unsent(pending[0].nonce)
