"""The state machine of one order, from its journal entry until it can no longer be bought.

An order is *exposed* while it can be bought, or may have been bought without core knowing. The pool keeps slots free
for the exposure, which ends only on evidence: core's supply includes the block of the purchase, or the market confirmed
the withdrawal and core has followed the chain to a block mined after that. A copy of the signature could still be
matched then, so the exposure of an order to cancel ends only when the chain shows the cancellation.
"""

from dataclasses import dataclass, replace
from enum import Enum


class OrderState(Enum):
    """States of an order."""

    PLANNED = "PLANNED"
    """In the journal and to be published; the market has not confirmed it."""
    OPEN = "OPEN"
    """Listed by the market."""
    WITHDRAWING = "WITHDRAWING"
    """To be withdrawn; the market has not confirmed it."""
    WITHDRAWN = "WITHDRAWN"
    """Withdrawn; purchases before the withdrawal are still read from the chain."""
    CLOSED = "CLOSED"
    """Bought completely, or withdrawn with all purchases known: it can no longer be bought."""


S = OrderState
WANTED = frozenset({S.PLANNED, S.OPEN})
"""States of orders that are on offer, or are to be published."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an order. `price` is in nRLC per task; `tag` is lower-case `0x` and 64 digits."""

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

    `settled` is the volume bought up to the newest block that core's supply includes. `closes_at` is a block mined
    after the withdrawal was confirmed, None until that block is known. A publication whose outcome is unknown may still
    reach the market until `late_until` (Unix seconds). `reason` is why it is withdrawn. `own` is false for an order of
    another signer. With `cancels` it counts as closed only after its cancellation on chain.
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
        """Whether it is on offer, or is to be published."""
        return self.state in WANTED

    @property
    def awaits_cancellation(self) -> bool:
        """Whether it must be cancelled on chain, and core's block does not show the cancellation yet."""
        return self.cancels and not self.is_wanted and self.exposure > 0

    def settle(self, consumed: int, cursor: int, now: float) -> "Order":
        """Return the order with the consumed volume at core's block `cursor`; a reorganisation may lower `consumed`."""
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
                # A publication arrived after its withdrawal.
                return replace(self, state=S.WITHDRAWING, closes_at=None)
            return self
        if self.state is S.OPEN:
            # Publishing the same order again is safe: it has the same hash.
            return replace(self, state=S.PLANNED) if self.own else self.withdrawn()
        return self

    def publishing(self, late_until: float) -> "Order":
        """Return the order before an attempt to publish it, which may arrive until `late_until`."""
        return replace(self, late_until=late_until)

    def published(self, late_until: float) -> "Order":
        """Return the order after the market confirmed it; earlier attempts may arrive until `late_until`."""
        return replace(self, state=S.OPEN, late_until=late_until)

    def withdrawing(self, reason: str, *, cancels: bool = False) -> "Order":
        """Return the order after the decision to withdraw it, and with `cancels` to cancel it on chain."""
        return replace(self, state=S.WITHDRAWING, reason=reason, cancels=self.cancels or cancels)

    def withdrawn(self) -> "Order":
        """Return the order after the market confirmed that it does not list it."""
        return replace(
            self, state=S.WITHDRAWN, closes_at=None, reason=self.reason or "the market does not list it"
        )

    def refused(self, reason: str, late_until: float, *, cancels: bool = False) -> "Order":
        """Return the order after the market refused it; earlier attempts may arrive until `late_until`."""
        return replace(
            self, state=S.WITHDRAWN, closes_at=None, reason=reason, late_until=late_until, cancels=cancels
        )
