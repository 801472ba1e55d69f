"""Commands learn of their transactions from the journal of the wallet."""

from dataclasses import replace
from typing import Any

from workerpool_chain_adapter.app.followed_journal import FollowedJournal
from workerpool_chain_adapter.domain.command import CommandState

from libs.transactions.tests.contract.journal_contract import entry, version

World = Any


def followed(world: World) -> FollowedJournal:
    return FollowedJournal(world.entries, world.assembly.outcomes, world.assembly.active)


async def test_a_command_is_shown_in_its_new_entry_and_in_each_version_of_it(world: World) -> None:
    command = await world.claim()
    carried = entry(0, str(command.key))
    await followed(world).add([carried])
    first = await world.command()
    assert (first.state, first.transaction_hash) == (CommandState.PROCESSING, version(0).hash)
    assert await world.journal.live() == [command], "the submitter journals it while the entry is sent"
    await followed(world).save([carried.replaced_by(version(0, 1), 5.0)])
    second = await world.command()
    assert (second.transaction_hash, second.attempts) == (version(0, 1).hash, 2)
    assert await world.journal.live() == [second]


async def test_other_writes_of_an_entry_change_no_command(world: World) -> None:
    command = await world.claim()
    carried = entry(0, str(command.key))
    await followed(world).add([carried])
    first = await world.command()
    await followed(world).save([carried.sent(5.0)])
    filler = replace(entry(1), call=replace(entry(1).call, labels=()))
    await followed(world).save([filler])
    assert await world.command() == first
    assert [each.nonce for each in await followed(world).live()] == [0, 1]
