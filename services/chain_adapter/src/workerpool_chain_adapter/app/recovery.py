"""After a restart: the journal says what was wanted and what may have been sent, the chain says what happened."""

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger

from workerpool_chain_adapter.adapters.mongo_journal import Journal
from workerpool_chain_adapter.app.active_commands import Board
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.mined import Mined
from workerpool_chain_adapter.app.sender import Sender
from workerpool_chain_adapter.domain.command import Command, CommandState
from workerpool_chain_adapter.domain.transaction import JournaledTransaction

log = get_logger()


async def resume(
    journal: Journal, board: Board, in_flight: InFlight, mined: Mined, sender: Sender, clock: Clock
) -> None:
    """Take up every command and transaction that had not ended; sender and tracker do the rest.

    A transaction of the journal counts as unsent: the tracker finds its receipt, or sends the same bytes again.
    A command that no such transaction serves waits for a new one, after the chain was asked about it. What was mined
    last may have been taken back in the meantime, and is watched.
    """
    await mined.resume()
    transactions = await journal.pending_transactions()
    in_flight.put(transactions)
    serving = {key: each for each in transactions for key in each.keys}
    commands = [_resumed(command, serving.get(command.key), clock.now()) for command in await journal.live()]
    sender.doubtful.update(each.key for each in commands if each.state is CommandState.RECEIVED)
    await board.record(*commands, *await mined.taken_back(transactions))
    sender.look_due.set()
    if commands or transactions:
        log.info("journal.resumed", commands=len(commands), transactions=len(transactions))


def _resumed(command: Command, transaction: JournaledTransaction | None, now: float) -> Command:
    if transaction is not None:
        present = (command.state, command.transaction_hash)
        journaled = (CommandState.PROCESSING, transaction.latest.hash)
        return command if present == journaled else command.processing(transaction.latest.hash, now)
    return command if command.state is CommandState.RECEIVED else command.requeued(now)
