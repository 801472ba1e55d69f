"""The journal's transactions that have not ended, in memory."""

from collections.abc import Collection, Iterable

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.domain.transaction import JournaledTransaction


class InFlight:
    """Transactions by nonce, and what the node last answered about each."""

    def __init__(self) -> None:
        self._transactions: dict[int, JournaledTransaction] = {}
        self._unsent: set[int] = set()
        self._underpriced: set[int] = set()

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
        """Add new transactions, or new forms of known ones; they count as unsent."""
        for each in transactions:
            self._transactions[each.nonce] = each
            self._unsent.add(each.nonce)
            self._underpriced.discard(each.nonce)
        metrics.IN_FLIGHT.set(len(self._transactions))

    def drop(self, nonces: Iterable[int]) -> None:
        """Remove transactions that have ended."""
        for nonce in nonces:
            self._transactions.pop(nonce, None)
            self._unsent.discard(nonce)
            self._underpriced.discard(nonce)
        metrics.IN_FLIGHT.set(len(self._transactions))

    def mark_accepted(self, nonce: int) -> None:
        """Note that a node accepted the latest version, which needs no other send."""
        self._unsent.discard(nonce)

    def mark_underpriced(self, nonce: int) -> None:
        """Note that the latest version pays too little to be accepted."""
        self._underpriced.add(nonce)

    def is_unsent(self, nonce: int) -> bool:
        """Return whether no node has accepted the latest version yet."""
        return nonce in self._unsent

    def is_underpriced(self, nonce: int) -> bool:
        """Return whether the latest version pays too little to be accepted."""
        return nonce in self._underpriced
