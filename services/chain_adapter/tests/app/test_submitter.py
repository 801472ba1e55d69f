"""From waiting commands to transactions: what is submitted, and what a gas estimate may prevent."""

import asyncio
from collections import deque
from typing import Any

import pytest
from workerpool_chain_adapter.app.submitter import GATHER_S, REFUSALS
from workerpool_chain_adapter.domain.command import Command, CommandKind, CommandState
from workerpool_chain_adapter.domain.planning import Group, Plan
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.ids import DealId, task_id_of
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_transactions.domain.answers import GasEstimate, SendAnswer, SendOutcome

World = Any
REVERTS = GasEstimate(None, 1_000, "execution reverted: why")
"""At a block that is newer than any in these tests."""


def data(*commands: Command) -> bytes:
    return Plan(Group.CLAIM, commands).data


async def claims(world: World, count: int) -> list[Command]:
    return [await world.claim(number) for number in range(1, count + 1)]


async def states(world: World, count: int) -> list[CommandState]:
    return [(await world.command(number)).state for number in range(1, count + 1)]


async def test_commands_that_wait_together_share_a_transaction(world: World) -> None:
    commands = await claims(world, 3)
    await world.round()
    (entry,) = world.live()
    assert entry.call.data == data(*commands)
    assert entry.call.labels == tuple(str(each.key) for each in commands)
    assert {(await world.command(number)).transaction_hash for number in (1, 2, 3)} == {entry.latest.hash}


async def test_a_command_is_journaled_as_processing_with_its_transaction(world: World) -> None:
    sent = await world.sent()
    assert await world.journal.live() == [sent]
    assert (sent.state, sent.attempts) == (CommandState.PROCESSING, 1)


async def test_nothing_is_submitted_above_the_limit_of_transactions_in_flight(world: World) -> None:
    world.chain.gas_limit = 1  # one command per transaction
    commands = await claims(world, 7)
    await world.round()
    await world.round()
    assert len(world.live()) == world.max_in_flight
    assert world.assembly.active.waiting() == commands[5:]
    await world.until(lambda: len(world.chain.pool) == world.max_in_flight)
    await world.block()
    await world.round()
    assert world.assembly.active.waiting() == []


async def test_a_command_that_always_would_revert_is_not_sent_and_fails(world: World) -> None:
    (command,) = await claims(world, 1)
    world.chain.estimates[data(command)] = deque([REVERTS])
    for _ in range(REFUSALS):
        assert await world.command() == command
        await world.round()
    failed = await world.command()
    assert (failed.state, failed.error_reason) == (CommandState.FAILURE, "TRANSACTION_WOULD_REVERT")
    assert world.live() == []


async def test_a_batch_that_would_revert_is_sent_without_the_command_at_fault(world: World) -> None:
    commands = await claims(world, 3)
    world.chain.estimates = {data(*commands): deque([REVERTS]), data(commands[1]): deque([REVERTS])}
    await world.round()
    S = CommandState
    assert await states(world, 3) == [S.PROCESSING, S.RECEIVED, S.PROCESSING]
    assert len(world.live()) == 2
    await world.claim(4)
    await world.round()
    assert await states(world, 4) == [S.PROCESSING, S.RECEIVED, S.PROCESSING, S.PROCESSING], (
        "it is tried alone"
    )
    for _ in range(REFUSALS - 2):
        await world.round()
    assert (await world.command(2)).state is S.FAILURE


async def test_the_effect_of_another_wallet_leaves_the_rest_of_a_batch(world: World) -> None:
    commands = await claims(world, 3)
    world.chain.estimates = {data(*commands): deque([REVERTS])}
    world.chain.statuses[commands[1].key.task_id] = ChainTaskStatus.FAILED
    await world.round()
    S = CommandState
    assert await states(world, 3) == [S.PROCESSING, S.SUCCESS, S.PROCESSING]


@pytest.mark.parametrize(
    "estimates",
    [
        pytest.param([GasEstimate(None, 0, "execution reverted")], id="always at an older block"),
        pytest.param([REVERTS, GasEstimate(90_000, 1)], id="once"),
        pytest.param([REVERTS, GasEstimate(None, 0, "execution reverted")], id="then at an older one"),
        pytest.param([REVERTS] * (2 * REFUSALS - 1) + [GasEstimate(90_000, 1)], id="for a while"),
    ],
)
async def test_a_stale_revert_of_an_estimate_fails_no_command(
    world: World, estimates: list[GasEstimate]
) -> None:
    """Back-ends behind one address lag: what they predict is about a state of the past."""
    (command,) = await claims(world, 1)
    world.chain.estimates[data(command)] = deque(estimates)
    for _ in range(REFUSALS):
        await world.round()
    assert await states(world, 1) == [CommandState.PROCESSING]
    await world.until(lambda: bool(world.chain.pool))
    await world.block()
    assert await states(world, 1) == [CommandState.SUCCESS]


async def test_a_command_that_only_the_next_block_allows_is_sent_without_an_estimate(world: World) -> None:
    """The chain is silent, and its newest block is older than the deadline."""
    world.chain.unproven = True
    (command,) = await claims(world, 1)
    world.chain.estimates[data(command)] = deque([REVERTS])
    await world.round()
    (entry,) = world.live()
    assert entry.call.gas == Plan(Group.CLAIM, (command,)).gas_bound(0)


async def test_a_node_in_trouble_fails_no_command(world: World) -> None:
    """The scheduler gives up a task whose command fails: a busy node must not cause that."""
    commands = await claims(world, 3)
    world.chain.estimate_trouble = "request rate limited"
    with pytest.raises(ChainUnreachable, match="request rate limited"):
        await world.round()
    assert world.assembly.active.waiting() == commands
    world.chain.estimate_trouble = ""
    await world.round()
    assert world.assembly.active.waiting() == []


async def test_a_task_that_was_never_initialized_is_initialized_and_claimed_at_once(world: World) -> None:
    deal = DealId("0x" + "00" * 32)
    task = task_id_of(deal, 3)
    world.chain.statuses[task] = ChainTaskStatus.UNSET
    await world.assembly.commands.claim(task, deal, 3)
    await world.claim(1)
    await world.round()
    selectors = {entry.call.data[:4] for entry in world.live()}
    assert selectors == {abi.HUB["claim"].selector, abi.HUB["initializeAndClaimArray"].selector}


async def test_a_wallet_that_cannot_pay_accepts_commands_and_sends_them_later(world: World) -> None:
    refusal = SendAnswer(SendOutcome.NO_FUNDS, "insufficient funds for gas * price + value")
    world.chain.refuse = lambda _: refusal
    await world.claim(1)
    await world.round()
    await world.until(lambda: bool(world.assembly.pipeline.status().parked_reason))
    assert (await world.claim(2)).state is CommandState.RECEIVED
    await world.round()
    assert len(world.assembly.active.waiting()) == 1, "a wallet that cannot pay takes no further nonce"
    world.chain.refuse = lambda _: None
    await world.until(lambda: not world.assembly.pipeline.status().parked_reason)
    await world.round()
    await world.until(lambda: len(world.chain.pool) == 2)
    await world.block()
    assert await states(world, 2) == [CommandState.SUCCESS] * 2


async def test_a_batch_waits_a_moment_for_requests_that_are_being_accepted(world: World) -> None:
    submitter = world.assembly.submitter
    running = asyncio.create_task(submitter.run())
    is_accepting = True
    submitter._accepting = lambda kind: is_accepting and kind is CommandKind.CLAIM
    await world.claim(1)
    await asyncio.sleep(GATHER_S / 2)
    await world.claim(2)
    assert len(world.assembly.active.waiting()) == 2
    is_accepting = False
    await world.until(lambda: len(world.live()) == 1, GATHER_S / 5)
    is_accepting = True
    await world.claim(3)
    await world.until(lambda: len(world.live()) == 2, 2 * GATHER_S)
    running.cancel()


async def test_the_loop_submits_again_after_an_outage_and_when_there_is_room(world: World) -> None:
    world.chain.gas_limit = 1
    running = asyncio.create_task(world.assembly.submitter.run())
    world.chain.estimate_trouble = "no answer"
    await claims(world, 7)
    await asyncio.sleep(5)
    assert len(world.assembly.active.waiting()) == 7
    world.chain.estimate_trouble = ""
    await world.until(lambda: len(world.chain.pool) == world.max_in_flight)
    await world.block()
    await world.until(lambda: len(world.chain.pool) == 2)
    await world.block()
    assert await states(world, 7) == [CommandState.SUCCESS] * 7
    running.cancel()
