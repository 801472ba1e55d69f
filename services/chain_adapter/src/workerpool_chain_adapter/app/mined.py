"""Mined transactions, watched while a reorg may still remove them.

A node rarely returns a reorged transaction to its pool by itself. Each head that is not a child of the one before
therefore triggers one comparison of the watched transactions with the chain. Other heads cost no request.
"""

from collections.abc import Iterable, Sequence

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.model import REORGANISATION_BLOCKS, Block

from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.ports import CommandJournal, TransactionJournal, WalletChain
from workerpool_chain_adapter.domain.command import Command, CommandState
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, Receipt, TransactionState

log = get_logger()


class Mined:
    """Watches the transactions of the last blocks and puts those that a reorg removed in flight again.

    The tracker handles them from there: it sends the same bytes again, finds their receipt in another block, or finds
    that another transaction used the nonce. Repeating this is harmless, even when the node only lagged behind.
    """

    def __init__(
        self,
        *,
        commands: CommandJournal,
        transactions: TransactionJournal,
        active: ActiveCommands,
        chain: WalletChain,
        in_flight: InFlight,
        clock: Clock,
    ) -> None:
        self._commands = commands
        self._transactions = transactions
        self._active = active
        self._chain = chain
        self._in_flight = in_flight
        self._clock = clock
        self._watched: dict[int, JournaledTransaction] = {}
        self._head: Block | None = None
        self._in_doubt = False

    @property
    def in_doubt(self) -> bool:
        """Whether a reorg may have removed blocks since the last `look`."""
        return self._in_doubt

    async def resume(self) -> None:
        """Watch the transactions that were mined last before a restart, whatever their age."""
        self.watch(await self._transactions.last_mined(REORGANISATION_BLOCKS))

    def watch(self, transactions: Iterable[JournaledTransaction]) -> None:
        """Watch the mined transactions among these; a reverted one has no effect to lose."""
        self._watched.update(
            {each.nonce: each for each in transactions if each.state is TransactionState.MINED}
        )

    def follow(self, head: Block) -> None:
        """Take a new head; it raises a doubt unless it is a child of the one before."""
        if self._head is None or head.parent_hash != self._head.hash:
            self._in_doubt = True
        self._head = head
        self._drop_final()

    async def look(self) -> None:
        """Compare the watched transactions with the chain. Raises ChainUnreachable, and the doubt then remains."""
        # Cleared before the request: the next reorg may happen while the answer is on its way.
        self._in_doubt = False
        watched = list(self._watched.values())
        try:
            receipts = await self._chain.receipts(watched)
        except BaseException:
            self._in_doubt = True
            raise
        await self._put_in_flight([each for each in watched if not _agree(each, receipts.get(each.nonce))])
        self._drop_final()

    async def restore(self, first: int, before: int | None = None) -> None:
        """Put ended transactions with nonces from `first` up to, not including, `before` in flight again.

        Call it when the wallet's next nonce on chain is `first`: everything above waits until that nonce is used.
        """
        await self._put_in_flight(await self._transactions.ended(first, before))

    async def reorged_commands(self, transactions: Sequence[JournaledTransaction]) -> list[Command]:
        """Return, in PROCESSING, the commands that succeeded by these transactions, which are in flight again."""
        journaled = await self._commands.named([key for each in transactions for key in each.keys])
        hashes = {version.hash for each in transactions for version in each.versions}
        # The active form is newer; no await separates this read from the caller's record.
        current = [self._active.get(command.key) or command for command in journaled]
        now = self._clock.now()
        return [
            command.reorged(now)
            for command in current
            if command.state is CommandState.SUCCESS and command.transaction_hash in hashes
        ]

    def _drop_final(self) -> None:
        """Forget transactions that are deep enough, unless a doubt requires a look at them first."""
        if self._head is not None and not self._in_doubt:
            deep = self._head.number - REORGANISATION_BLOCKS
            self._watched = {
                nonce: each for nonce, each in self._watched.items() if each.block_number >= deep
            }

    async def _put_in_flight(self, vanished: Sequence[JournaledTransaction]) -> None:
        if not vanished:
            return
        log.warning("transactions.reorged", nonces=[each.nonce for each in vanished])
        for each in vanished:
            self._watched.pop(each.nonce, None)
        pending = [
            each.pending_again(self._head.number if self._head else each.first_block) for each in vanished
        ]
        # Journaled first: a restart then finds them pending and resumes their commands whatever their state.
        await self._transactions.save(pending)
        self._in_flight.put(pending)
        await self._active.record(*await self.reorged_commands(pending))


def _agree(journaled: JournaledTransaction, receipt: Receipt | None) -> bool:
    return receipt is not None and receipt.succeeded and receipt.block_number == journaled.block_number
