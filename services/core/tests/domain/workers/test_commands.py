"""Commands to workers are durable, numbered and superseded by a final one."""

from collections.abc import Callable

from workerpool_core.domain.decisions import CommandQueued, CommandRemoved, SendCommand
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Action
from workerpool_core.domain.workers import commands
from workerpool_poco.protocol.ids import TaskId

TASK, OTHER = TaskId("0x1"), TaskId("0x2")


def test_a_command_is_queued_and_sent(context: EventContext, add_worker: Callable[..., LiveWorker]) -> None:
    worker = add_worker()
    commands.send(context, "0xW", TASK, Action.REVEAL, block=7, resume=True)
    (command,) = worker.commands.values()
    assert (command.action, command.block, command.sequence) == (Action.REVEAL, 7, int(context.now * 1000))
    assert context.writes == [CommandQueued(command)]
    assert context.effects == [SendCommand(command, resume=True)]


def test_sequences_rise_even_if_the_clock_does_not(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    worker = add_worker()
    commands.send(context, "0xW", TASK, Action.REVEAL)
    context.now = 1.0
    commands.send(context, "0xW", TASK, Action.UPLOAD)
    first, second = worker.commands
    assert second == first + 1


def test_a_final_command_supersedes_older_ones_for_its_task(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    worker = add_worker()
    commands.send(context, "0xW", TASK, Action.REVEAL)
    commands.send(context, "0xW", OTHER, Action.REVEAL)
    (revealed, _) = worker.commands
    commands.send(context, "0xW", TASK, Action.COMPLETE)
    assert CommandRemoved("0xW", revealed) in context.writes
    assert not commands.is_pending(worker, TASK, Action.REVEAL)
    assert commands.is_pending(worker, TASK, Action.COMPLETE)
    assert commands.is_pending(worker, OTHER, Action.REVEAL)
