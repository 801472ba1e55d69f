"""The life of one order: from its journal entry to the moment when nothing of it can be bought.

An order is *exposed* while someone may buy it, or may have bought it without core knowing. Its exposure counts in slots
that the pool must keep free, and ends only on evidence: core's supply includes the block of the purchase, or the market
confirmed the withdrawal and core has followed the chain up to a block mined after that. A copy of the signature could
still be matched then; the exposure of an order that is cancelled ends when the chain shows the cancellation instead.
"""

from dataclasses import dataclass, replace
from enum import Enum


class OrderState(Enum):
    """Where an order is between its decision and its end."""

    PLANNED = "PLANNED"
    """In the journal and wanted on the market, which has not confirmed it."""
    OPEN = "OPEN"
    """Listed by the market."""
    WITHDRAWING = "WITHDRAWING"
    """Wanted off the market, which has not confirmed that."""
    WITHDRAWN = "WITHDRAWN"
    """Off the market; purchases before that are still looked up on chain."""
    CLOSED = "CLOSED"
    """Bought completely, or withdrawn and looked up: nothing of it can be bought."""


S = OrderState
WANTED = frozenset({S.PLANNED, S.OPEN})
"""States of orders that are on offer, or about to be."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order sells. `price` is in nRLC per task; `tag` is lower-case `0x` and 64 digits."""

    category: int
    price: int
    tag: str
    trust: int
    app: str
    dataset: str
    requester: str


@dataclass(frozen=True, slots=True)
class Order:
    """One order of the pool; `hash` and `salt` are lower-case `0x` and 64 digits.

    `settled` is the volume that was bought up to the block that core's supply includes. `closes_at` is a block mined
    after the withdrawal was confirmed, None before that block is known. A publication whose outcome is unknown may
    still reach the market until `late_until` (Unix seconds). `reason` tells why it is withdrawn. `own` is false for an
    order that this publisher did not sign. `cancels` tells that it must be closed on chain before it counts as closed.
    """

    hash: str
    salt: str
    terms: Terms
    volume: int
    created_at: float
    state: OrderState = S.PLANNED
    reason: str = ""
    settled: int = 0
    closes_at: int | None = None
    late_until: float = 0.0
    own: bool = True
    cancels: bool = False

    @property
    def exposure(self) -> int:
        """The tasks that can still be bought, or whose purchase core may not know yet."""
        return 0 if self.state is S.CLOSED else max(self.volume - self.settled, 0)

    @property
    def is_wanted(self) -> bool:
        """Whether it is on offer, or about to be."""
        return self.state in WANTED

    @property
    def awaits_cancellation(self) -> bool:
        """Whether it must be closed on chain, which core's block does not show yet."""
        return self.cancels and not self.is_wanted and self.exposure > 0

    def settle(self, consumed: int, cursor: int, now: float) -> "Order":
        """Return the order after the chain was read at core's block `cursor`; a reorganisation may lower `consumed`."""
        order = replace(self, settled=min(consumed, self.volume))
        if order.settled == order.volume:
            return replace(order, state=S.CLOSED, late_until=0.0)
        withdrawn = order.state is S.WITHDRAWN and order.closes_at is not None and cursor >= order.closes_at
        if withdrawn and not order.cancels and now >= order.late_until:
            return replace(order, state=S.CLOSED)
        # A reorganisation may remove the purchase of a closed order.
        return replace(order, state=S.OPEN) if order.state is S.CLOSED and not order.reason else order

    def seen(self, *, listed: bool) -> "Order":
        """Return the order after a listing of the market did or did not contain it."""
        if listed:
            if self.state is S.PLANNED:
                return replace(self, state=S.OPEN)
            if self.state is S.WITHDRAWN or (self.state is S.CLOSED and self.settled < self.volume):
                # A publication that was given up arrived late.
                return replace(self, state=S.WITHDRAWING, closes_at=None)
            return self
        if self.state is S.OPEN:
            # The same order again has the same hash, so that it can never be there twice.
            return replace(self, state=S.PLANNED) if self.own else self.withdrawn()
        return self

    def publishing(self, late_until: float) -> "Order":
        """Return the order before an attempt to publish it, whose outcome may stay unknown."""
        return replace(self, late_until=late_until)

    def published(self, late_until: float) -> "Order":
        """Return the order after the market confirmed it; earlier attempts may arrive until `late_until`."""
        return replace(self, state=S.OPEN, late_until=late_until)

    def withdrawing(self, reason: str, *, cancels: bool = False) -> "Order":
        """Return the order after the decision to withdraw it, and to cancel it on chain too."""
        return replace(self, state=S.WITHDRAWING, reason=reason, cancels=self.cancels or cancels)

    def withdrawn(self) -> "Order":
        """Return the order after the market confirmed that it is not listed."""
        return replace(
            self, state=S.WITHDRAWN, closes_at=None, reason=self.reason or "the market does not list it"
        )

    def refused(self, reason: str, late_until: float, *, cancels: bool = False) -> "Order":
        """Return the order after the market refused it; earlier attempts may arrive until `late_until`."""
        return replace(
            self, state=S.WITHDRAWN, closes_at=None, reason=reason, late_until=late_until, cancels=cancels
        )
