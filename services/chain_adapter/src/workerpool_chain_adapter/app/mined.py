"""Transactions that were mined, as long as a reorganisation of the chain may take them back.

A node seldom brings back by itself what a reorganisation took out of the chain, and nobody may ask for anything that
would show it: so each head that does not continue the one before is a reason to look. Without one, nothing is asked.
"""

from collections.abc import Iterable, Sequence

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.model import REORGANISATION_BLOCKS, Block

from workerpool_chain_adapter.adapters.hub_chain import OwnerChain, Receipt
from workerpool_chain_adapter.adapters.mongo_journal import Journal
from workerpool_chain_adapter.app.active_commands import Board
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.domain.command import Command, CommandState
from workerpool_chain_adapter.domain.transaction import JournaledTransaction, TransactionState

log = get_logger()


class Mined:
    """Watches the transactions of the last blocks, and puts those that are not as journaled in flight again.

    In flight the tracker finds out the rest: it sends the same bytes again, or finds their receipt in another block,
    or that somebody else has used the nonce. Doing so twice, or when the node only lagged behind, does no harm.
    """

    def __init__(
        self, *, journal: Journal, board: Board, chain: OwnerChain, in_flight: InFlight, clock: Clock
    ) -> None:
        self._journal = journal
        self._board = board
        self._chain = chain
        self._in_flight = in_flight
        self._clock = clock
        self._watched: dict[int, JournaledTransaction] = {}
        self._head: Block | None = None
        self.in_doubt = False
        """Whether blocks may have been taken back since the last `look`."""

    async def resume(self) -> None:
        """Watch what was mined last before a restart, however long ago that was."""
        self.watch(await self._journal.last_mined(REORGANISATION_BLOCKS))

    def watch(self, transactions: Iterable[JournaledTransaction]) -> None:
        """Begin to watch those of the transactions that are mined; one that reverted left nothing to be lost."""
        self._watched.update(
            {each.nonce: each for each in transactions if each.state is TransactionState.MINED}
        )

    def follow(self, head: Block) -> None:
        """Take a new head: it is a reason to doubt unless it is the child of the one before."""
        if self._head is None or head.parent_hash != self._head.hash:
            self.in_doubt = True
        self._head = head
        self._let_go()

    async def look(self) -> None:
        """Compare what is watched with the chain. Raises ChainUnreachable, and then the doubt remains."""
        # Before looking: the next reorganisation may come while the answers are on their way.
        self.in_doubt = False
        watched = list(self._watched.values())
        try:
            receipts = await self._chain.receipts(watched)
        except BaseException:
            self.in_doubt = True
            raise
        await self._put_in_flight([each for each in watched if not _agree(each, receipts.get(each.nonce))])
        self._let_go()

    async def revive(self, first: int, before: int | None = None) -> None:
        """Put transactions that had ended in flight again: those with nonces from `first` on, and below `before`.

        Call it when the wallet's next nonce on chain is `first`: everything above waits until that nonce is used.
        """
        await self._put_in_flight(await self._journal.ended_transactions(first, before))

    def _let_go(self) -> None:
        """Forget what is deep enough, unless it has to be looked at before."""
        if self._head is not None and not self.in_doubt:
            deep = self._head.number - REORGANISATION_BLOCKS
            self._watched = {
                nonce: each for nonce, each in self._watched.items() if each.block_number >= deep
            }

    async def _put_in_flight(self, vanished: Sequence[JournaledTransaction]) -> None:
        if not vanished:
            return
        log.warning("transactions.vanished", nonces=[each.nonce for each in vanished])
        for each in vanished:
            self._watched.pop(each.nonce, None)
        revived = [each.revived(self._head.number if self._head else each.first_block) for each in vanished]
        # First: a restart finds them pending, and takes up their commands whatever their state.
        await self._journal.save_transactions(revived)
        self._in_flight.put(revived)
        await self._board.record(*await self.taken_back(revived))

    async def taken_back(self, transactions: Sequence[JournaledTransaction]) -> list[Command]:
        """Return, in motion again, the commands that ended by the effect of these transactions, now in doubt."""
        journaled = await self._journal.named([key for each in transactions for key in each.keys])
        hashes = {version.hash for each in transactions for version in each.versions}
        # What the board shows is newer; nothing changes between here and there without an await.
        present = [self._board.get(command.key) or command for command in journaled]
        now = self._clock.now()
        return [
            command.taken_back(now)
            for command in present
            if command.state is CommandState.SUCCESS and command.transaction_hash in hashes
        ]


def _agree(journaled: JournaledTransaction, receipt: Receipt | None) -> bool:
    return receipt is not None and receipt.succeeded and receipt.block_number == journaled.block_number
