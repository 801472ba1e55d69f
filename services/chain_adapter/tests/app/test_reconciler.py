"""Commands in the state that the chain proves."""

from typing import Any

import pytest
from workerpool_chain_adapter.app.reconciler import MAX_REVERTS, Reconciler
from workerpool_chain_adapter.domain.command import Command, CommandState
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.statuses import ChainTaskStatus

World = Any


@pytest.fixture
def reconciler(world: World) -> Reconciler:
    reconciler: Reconciler = world.assembly.reconciler
    return reconciler


async def waiting(world: World, reverts: int = 0) -> Command:
    command: Command = await world.claim()
    for number in range(reverts):
        command = command.processing(f"0x{number}", 2.0).requeued(3.0, reverted=True)
    world.assembly.active.show(command)
    return command


async def test_an_effect_on_chain_is_a_success_of_another_transaction(
    world: World, reconciler: Reconciler
) -> None:
    command = await waiting(world)
    world.chain.statuses[command.key.task_id] = ChainTaskStatus.FAILED
    await reconciler.reconcile([command])
    done = await world.command()
    assert (done.state, done.transaction_hash, done.block_number) == (CommandState.SUCCESS, "", 0)


async def test_an_impossible_command_fails_with_the_contract_s_reason(
    world: World, reconciler: Reconciler
) -> None:
    command = await waiting(world)
    world.chain.statuses[command.key.task_id] = ChainTaskStatus.COMPLETED
    await reconciler.reconcile([command])
    failed = await world.command()
    assert (failed.state, failed.error_reason) == (CommandState.FAILURE, "TASK_COMPLETED")


async def test_a_possible_command_keeps_waiting(world: World, reconciler: Reconciler) -> None:
    await reconciler.reconcile([await waiting(world)])
    assert (await world.command()).state is CommandState.RECEIVED


async def test_a_command_that_the_node_refuses_against_the_rules_fails_with_its_text(
    world: World, reconciler: Reconciler
) -> None:
    await reconciler.refuse([await waiting(world)], "execution reverted: why")
    failed = await world.command()
    assert failed.error_reason == "TRANSACTION_WOULD_REVERT"
    assert failed.error_message.endswith("execution reverted: why; check the node")


async def test_a_command_that_reverted_too_often_fails(world: World, reconciler: Reconciler) -> None:
    await reconciler.reconcile([await waiting(world, reverts=MAX_REVERTS)])
    assert (await world.command()).error_reason == "TRANSACTION_REVERTED"


async def test_an_unreachable_node_changes_nothing(world: World, reconciler: Reconciler) -> None:
    command = await waiting(world)
    world.chain.is_down = True
    with pytest.raises(ChainUnreachable):
        await reconciler.reconcile([command])
    assert await world.command() == command
    await reconciler.reconcile([])
