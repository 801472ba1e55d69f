"""The transactions of the journal that have not ended, in memory."""

from collections.abc import Collection, Iterable

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.domain.transaction import JournaledTransaction


class InFlight:
    """Transactions by nonce, and which of them the node has not confirmed to have."""

    def __init__(self) -> None:
        self._transactions: dict[int, JournaledTransaction] = {}
        self.unsent: set[int] = set()
        """Nonces whose latest version no node accepted yet; it is sent again at the next block."""
        self.underpriced: set[int] = set()
        """Nonces whose latest version pays too little to be accepted."""

    def __len__(self) -> int:
        return len(self._transactions)

    @property
    def nonces(self) -> Collection[int]:
        """The nonces in use."""
        return self._transactions.keys()

    def in_order(self) -> list[JournaledTransaction]:
        """Return the transactions, lowest nonce first."""
        return [self._transactions[nonce] for nonce in sorted(self._transactions)]

    def put(self, transactions: Iterable[JournaledTransaction]) -> None:
        """Take new transactions, or new forms of known ones; they count as unsent."""
        for each in transactions:
            self._transactions[each.nonce] = each
            self.unsent.add(each.nonce)
        metrics.IN_FLIGHT.set(len(self._transactions))

    def note(self, transaction: JournaledTransaction) -> None:
        """Take the new form of a known transaction without a change of what is sent."""
        self._transactions[transaction.nonce] = transaction

    def drop(self, nonces: Iterable[int]) -> None:
        """Let go of transactions that have ended."""
        for nonce in nonces:
            self._transactions.pop(nonce, None)
            self.unsent.discard(nonce)
            self.underpriced.discard(nonce)
        metrics.IN_FLIGHT.set(len(self._transactions))
