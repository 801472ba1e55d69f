"""Commands in the state that the chain proves."""

from typing import Any

import pytest
from workerpool_chain_adapter.app.reconciler import MAX_ATTEMPTS, Reconciler
from workerpool_chain_adapter.domain.command import Command, CommandState
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.statuses import ChainTaskStatus

World = Any


@pytest.fixture
def reconciler(world: World) -> Reconciler:
    return Reconciler(world.pipeline.active, world.chain, world.clock)


async def sent(world: World, attempts: int = 1) -> Command:
    command: Command = await world.claim()
    for _ in range(attempts):
        command = command.processing("0xaa", 2.0)
    world.pipeline.active.show(command)
    return command


async def test_an_effect_on_chain_is_a_success_of_another_transaction(
    world: World, reconciler: Reconciler
) -> None:
    command = await sent(world)
    world.chain.statuses[command.key.task_id] = ChainTaskStatus.FAILED
    await reconciler.reconcile([command])
    done = await world.command()
    assert (done.state, done.transaction_hash, done.block_number) == (CommandState.SUCCESS, "", 0)


async def test_an_impossible_command_fails_with_the_contract_s_reason(
    world: World, reconciler: Reconciler
) -> None:
    command = await sent(world)
    world.chain.statuses[command.key.task_id] = ChainTaskStatus.COMPLETED
    await reconciler.reconcile([command])
    failed = await world.command()
    assert (failed.state, failed.error_reason) == (CommandState.FAILURE, "TASK_COMPLETED")


async def test_a_possible_command_waits_again(world: World, reconciler: Reconciler) -> None:
    await reconciler.reconcile([await sent(world)])
    assert (await world.command()).state is CommandState.RECEIVED


async def test_a_command_that_the_node_refuses_against_the_rules_fails_with_its_text(
    world: World, reconciler: Reconciler
) -> None:
    await reconciler.reconcile([await sent(world)], refusal="execution reverted: why")
    failed = await world.command()
    assert failed.error_reason == "TRANSACTION_WOULD_REVERT"
    assert failed.error_message.endswith("execution reverted: why")


async def test_a_command_sent_too_often_fails(world: World, reconciler: Reconciler) -> None:
    await reconciler.reconcile([await sent(world, attempts=MAX_ATTEMPTS)])
    assert (await world.command()).error_reason == "TRANSACTION_REVERTED"


async def test_an_unreachable_node_changes_nothing(world: World, reconciler: Reconciler) -> None:
    command = await sent(world)
    world.chain.outage = ChainUnreachable("no node")
    with pytest.raises(ChainUnreachable):
        await reconciler.reconcile([command])
    assert await world.command() == command
    await reconciler.reconcile([])
