"""What is remembered about commands that were possible."""

from typing import Any

import pytest
from workerpool_chain_adapter.app.assessor import Assessor
from workerpool_chain_adapter.domain.assessment import InEffect, Sendable
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.statuses import ChainTaskStatus

World = Any


async def test_a_possible_command_is_remembered_with_its_block_until_it_is_not(world: World) -> None:
    command, assessor = await world.claim(), Assessor(world.chain)
    assert assessor.seen(command.key) is None
    world.chain.block = 9
    assert await assessor.assess([command]) == [Sendable(9)]
    assert assessor.seen(command.key) == Sendable(9)
    world.chain.statuses[command.key.task_id] = ChainTaskStatus.FAILED
    assert await assessor.assess([command]) == [InEffect()]
    assert assessor.seen(command.key) is None


async def test_a_forgotten_command_must_be_assessed_again(world: World) -> None:
    command, assessor = await world.claim(), Assessor(world.chain)
    await assessor.assess([command])
    assessor.forget([command.key, command.key])
    assert assessor.seen(command.key) is None


async def test_an_unreachable_node_changes_nothing(world: World) -> None:
    command, assessor = await world.claim(), Assessor(world.chain)
    await assessor.assess([command])
    world.chain.is_down = True
    with pytest.raises(ChainUnreachable):
        await assessor.assess([command])
    assert assessor.seen(command.key) is not None
