"""Commands in progress: what is waiting, who follows them, and when they are dropped."""

import asyncio
from collections.abc import Sequence

from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_poco.protocol.ids import TaskId


class Journal:
    """Records what is saved; a save waits until `free` is set."""

    def __init__(self) -> None:
        self.saved: list[list[Command]] = []
        self.free = asyncio.Event()
        self.free.set()

    async def save(self, commands: Sequence[Command]) -> None:
        await self.free.wait()
        self.saved.append(list(commands))


def command(number: int = 1) -> Command:
    return Command(CommandKey(TaskId(f"0x{number:064x}"), CommandKind.CLAIM), 1.0, 1.0)


async def test_a_received_command_waits_and_wakes_the_sender() -> None:
    active = ActiveCommands(Journal().save)
    active.show(command())
    async with asyncio.timeout(1):
        await active.sending.wait()
    assert active.waiting() == [command()]
    active.show(command().processing("0xaa", 2.0))
    assert active.waiting() == []
    assert active.processing([command().key, command(2).key]) == [command().processing("0xaa", 2.0)]


async def test_a_final_command_is_dropped_when_it_is_journaled() -> None:
    journal = Journal()
    active = ActiveCommands(journal.save)
    done = command().succeeded(2.0)
    journal.free.clear()
    recording = asyncio.create_task(active.record(done))
    await asyncio.sleep(0)
    assert active.get(done.key) == done
    journal.free.set()
    await recording
    assert active.get(done.key) is None
    assert journal.saved == [[done]]


async def test_a_command_that_is_requested_again_during_its_last_write_stays() -> None:
    journal = Journal()
    active = ActiveCommands(journal.save)
    failed = command().failed(2.0, "R", "t")
    journal.free.clear()
    recording = asyncio.create_task(active.record(failed))
    await asyncio.sleep(0)
    again = failed.restarted(command())
    active.show(again)
    journal.free.set()
    await recording
    assert active.get(again.key) == again


async def test_an_older_form_never_overwrites_a_newer_one_in_the_journal() -> None:
    journal = Journal()
    active = ActiveCommands(journal.save)
    forms = [command().processing("0xaa", 2.0), command().processing("0xaa", 2.0).succeeded(3.0)]
    await asyncio.gather(*(active.record(form) for form in forms))
    assert journal.saved[-1][-1] == forms[-1]


async def test_followers_see_each_change_until_they_leave() -> None:
    active = ActiveCommands(Journal().save)
    with active.follow(command().key) as following:
        active.show(command(), command(2))
        active.show(command().processing("0xaa", 2.0))
        changes = following.changes()
        assert [await anext(changes), await anext(changes)] == [
            command(),
            command().processing("0xaa", 2.0),
        ]
    active.show(command())
    assert active._followers == {}
