"""Durable commands to workers: queued, resent on every connection, withdrawn when they no longer apply."""

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.ids import TaskId

from workerpool_core.domain.decisions import CommandQueued, CommandRemoved, SendCommand
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Action, Command

_SUPERSEDING = (Action.ABORT, Action.COMPLETE)


def send(
    context: EventContext,
    wallet: str,
    task_id: TaskId,
    action: Action,
    *,
    block: int = 0,
    cause: ReplicateStatusCause | None = None,
    resume: bool = False,
) -> None:
    """Queue a command and send it; ABORT and COMPLETE supersede older commands for the same replicate.

    Sequences follow the clock, so they rise across restarts although acknowledged commands are not stored. The
    sequences in a worker's Hello guard against a clock that was set back.
    """
    worker = context.state.workers[wallet]
    if action in _SUPERSEDING:
        withdraw(context, worker, task_id)
    sequence = max(worker.last_command_sequence + 1, int(context.now * 1000))
    worker.last_command_sequence = sequence
    command = Command(wallet, sequence, task_id, action, block, cause)
    worker.commands[sequence] = command
    context.writes.append(CommandQueued(command))
    context.effects.append(SendCommand(command, resume))


def is_pending(worker: LiveWorker, task_id: TaskId, action: Action) -> bool:
    """Return whether the worker has not acknowledged a command with this action for a task."""
    return any(c.task_id == task_id and c.action is action for c in worker.commands.values())


def withdraw(context: EventContext, worker: LiveWorker, task_id: TaskId) -> None:
    """Remove a worker's unacknowledged commands for a task."""
    for sequence in [s for s, command in worker.commands.items() if command.task_id == task_id]:
        del worker.commands[sequence]
        context.writes.append(CommandRemoved(worker.worker.wallet, sequence))
