"""Resume after a restart: the journal holds what was requested and sent, the chain holds what happened."""

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger

from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.mined import Mined
from workerpool_chain_adapter.app.ports import CommandJournal, TransactionJournal
from workerpool_chain_adapter.app.sender import Sender
from workerpool_chain_adapter.app.wakeup import Wakeup
from workerpool_chain_adapter.domain.command import Command, CommandState
from workerpool_chain_adapter.domain.transaction import JournaledTransaction

log = get_logger()


async def resume(
    *,
    commands: CommandJournal,
    transactions: TransactionJournal,
    active: ActiveCommands,
    in_flight: InFlight,
    mined: Mined,
    sender: Sender,
    tracking: Wakeup,
    clock: Clock,
) -> None:
    """Load every command and transaction that had not ended, so that sender and tracker continue with them.

    A loaded transaction counts as unsent: the tracker finds its receipt or sends the same bytes again. A command in no
    such transaction waits for a new one, after a check of the chain. The last mined transactions are watched again,
    because a reorg may have removed them in the meantime.
    """
    await mined.resume()
    pending = await transactions.pending()
    in_flight.put(pending)
    serving = {key: each for each in pending for key in each.keys}
    resumed = [_resumed(command, serving.get(command.key), clock.now()) for command in await commands.live()]
    sender.check_before_sending(each.key for each in resumed if each.state is CommandState.RECEIVED)
    await active.record(*resumed, *await mined.reorged_commands(pending))
    tracking.request()
    if resumed or pending:
        log.info("journal.resumed", commands=len(resumed), transactions=len(pending))


def _resumed(command: Command, transaction: JournaledTransaction | None, now: float) -> Command:
    if transaction is not None:
        current = (command.state, command.transaction_hash)
        journaled = (CommandState.PROCESSING, transaction.latest.hash)
        return command if current == journaled else command.processing(transaction.latest.hash, now)
    return command if command.state is CommandState.RECEIVED else command.requeued(now)
