"""What waits while a node refuses the lowest offer: one try finds the fee that it takes, for all."""

from workerpool_transactions.domain.answers import SendOutcome
from workerpool_transactions.domain.entry import Offer, Version
from workerpool_transactions.domain.item import Item


class FeeHold:
    """Holds back the nonces above a refused one until a node takes that one."""

    def __init__(self) -> None:
        self._nonce: int | None = None
        self._refused = 0
        self.accepted: Offer | None = None
        """An offer that a node took after it refused lower ones."""

    def holds(self, item: Item) -> bool:
        """Return whether an item waits: it would probably be refused too, and sends keep their order."""
        return self._nonce is not None and item.nonce > self._nonce and item.known_at is None

    def answered(self, nonce: int, version: Version, outcome: SendOutcome) -> bool:
        """Take an answer. Return whether those held back are free to be sent at `accepted`."""
        if outcome is SendOutcome.FEE_TOO_LOW:
            if self._nonce is None or nonce <= self._nonce:
                self._nonce, self._refused = nonce, version.offer.max_fee
            return False
        if nonce != self._nonce or outcome is SendOutcome.BUSY:
            return False
        self._nonce = None
        if outcome is not SendOutcome.ACCEPTED or version.offer.max_fee <= self._refused:
            return False
        self.accepted = version.offer
        return True

    def ended(self, nonce: int) -> None:
        """Note that an entry ended: it holds back nothing."""
        if nonce == self._nonce:
            self._nonce = None
