"""The resumption of commands after a restart, from the journals of commands and entries."""

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_transactions.domain.entry import Entry
from workerpool_transactions.ports import Journal

from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.outcomes import keys_of
from workerpool_chain_adapter.app.ports import CommandJournal
from workerpool_chain_adapter.domain.command import Command, CommandState

log = get_logger()


async def resume(*, commands: CommandJournal, entries: Journal, active: ActiveCommands, clock: Clock) -> None:
    """Load every command that is not final. Call it before the wallet's pipeline resumes.

    A command in a live entry is PROCESSING; another one waits for a new entry, after a check of the chain. The pipeline
    restores final commands whose entry is live again.
    """
    live = await entries.live()
    serving = {key: entry for entry in live for key in keys_of(entry)}
    now = clock.now()
    resumed = [_resumed(each, serving.get(each.key), now) for each in await commands.live()]
    await active.record(*resumed)
    if resumed or live:
        log.info("journal.resumed", commands=len(resumed), transactions=len(live))


def _resumed(command: Command, entry: Entry | None, now: float) -> Command:
    if entry is None:
        return command if command.state is CommandState.RECEIVED else command.requeued(now)
    current = (command.state, command.transaction_hash)
    if current == (CommandState.PROCESSING, entry.latest.hash):
        return command
    return command.processing(entry.latest.hash, now)
