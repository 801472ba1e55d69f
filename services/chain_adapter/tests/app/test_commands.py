"""Asking for a command again, when the chain says that its effect is not there (any more)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.commands import Commands
from workerpool_chain_adapter.domain.assessment import ChainSnapshot
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind, CommandState
from workerpool_chain_adapter.errors import ChainUnavailable
from workerpool_kit.clock import SystemClock
from workerpool_kit.errors import DatabaseAway
from workerpool_poco.errors import ChainUnreachable
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus

TASK = TaskId("0x" + "11" * 32)
DONE = (
    Command(CommandKey(TASK, CommandKind.CLAIM), 100.0, 100.0)
    .processing("0xaa", 101.0)
    .succeeded(102.0, transaction_hash="0xaa", block_number=7)
)
CLAIMABLE = ChainTask(
    *(TASK, ChainTaskStatus.ACTIVE, DealId(TASK), 0, 1, 7, 2, 10, b"", 0, 0, (), b"", b"", 0, b""),
)


class World:
    """What stands around the use cases: a journal with one success, a chain without its effect, a tracker."""

    def __init__(self) -> None:
        self.active = ActiveCommands(self.save)
        self.vanished = self.unreachable = self.answer_lost = self.done_meanwhile = False
        self.there: Command = DONE
        self.task = CLAIMABLE
        around: Any = self
        self.commands = Commands(
            journal=around,
            active=self.active,
            chain=around,
            tracker=around,
            funds=around,
            clock=SystemClock(),
        )

    async def save(self, commands: Sequence[Command]) -> None:
        pass

    async def add(self, commands: Sequence[Command]) -> list[Command | None]:
        if self.answer_lost:
            self.answer_lost = False
            (self.there,) = commands
            raise DatabaseAway("written, but nobody hears of it")
        before = [self.there for _ in commands]
        if self.done_meanwhile:
            self.there = DONE
        return before

    async def get(self, key: CommandKey) -> Command | None:
        assert key == self.there.key
        return self.there

    async def snapshots(self, commands: Sequence[Command]) -> list[ChainSnapshot]:
        deal: Any = None
        return [ChainSnapshot(deal, self.task, 7, 11, ZERO_ADDRESS) for _ in commands]

    def can_pay(self) -> bool:
        return True

    async def look(self, *, recheck_mined: bool) -> None:
        assert recheck_mined
        if self.unreachable:
            raise ChainUnreachable("no node")
        if self.vanished:
            self.active.show(DONE.reorged(103.0))


async def test_an_effect_that_a_reorganisation_took_back_comes_from_the_same_transaction_again() -> None:
    """Whoever asks follows the chain too, and may be faster than the adapter."""
    world = World()
    world.vanished = True
    command = await world.commands.claim(TASK)
    assert (command.state, command.transaction_hash) == (CommandState.PROCESSING, "0xaa")
    assert not world.active.waiting()


async def test_an_effect_that_something_else_undid_takes_a_new_transaction() -> None:
    world = World()
    command = await world.commands.claim(TASK)
    assert (command.state, command.transaction_hash) == (CommandState.RECEIVED, "")
    assert world.active.waiting() == [command]


async def test_nothing_is_sent_as_long_as_the_old_transaction_cannot_be_looked_for() -> None:
    world = World()
    world.unreachable = True
    with pytest.raises(ChainUnavailable):
        await world.commands.claim(TASK)
    assert not world.active.waiting()


async def test_a_command_of_which_the_database_s_answer_was_lost_is_sent_when_it_is_asked_for_again() -> None:
    """It is in the journal, but nobody has begun to work on it."""
    world = World()
    world.answer_lost = True
    with pytest.raises(DatabaseAway):
        await world.commands.claim(TASK)
    command = await world.commands.claim(TASK)
    assert command == world.there
    assert world.active.waiting() == [command]


async def test_a_success_that_is_still_on_its_way_to_the_journal_counts_more_than_what_is_there() -> None:
    world = World()
    world.task = replace(CLAIMABLE, status=ChainTaskStatus.FAILED)
    world.there = Command(DONE.key, 100.0, 100.0)
    world.active.show(DONE)
    assert await world.commands.claim(TASK) == DONE
    assert not world.active.waiting()


async def test_a_success_that_reached_the_journal_meanwhile_counts_more_than_what_was_there_before() -> None:
    world = World()
    world.task = replace(CLAIMABLE, status=ChainTaskStatus.FAILED)
    world.there = Command(DONE.key, 100.0, 100.0)
    world.done_meanwhile = True
    assert await world.commands.claim(TASK) == DONE
    assert not world.active.waiting()
