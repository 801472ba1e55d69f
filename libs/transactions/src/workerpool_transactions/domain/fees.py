"""Offers: what a version pays, from today's fees and the operator's limits. All amounts in wei per unit of gas."""

from dataclasses import dataclass

from workerpool_transactions.domain.answers import FeeQuote
from workerpool_transactions.domain.entry import Offer

BASE_FEE_HEADROOM = 2
"""An offer of twice the base fee survives six full blocks, and costs nothing more: the base fee is what is charged."""
BUMP_PERCENT = 15
"""Geth, Besu and Nethermind accept a replacement from 10 % more, OpenEthereum from 12.5 %."""


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """The operator's limits. `cap` bounds every offer, replacements included; a multiplier or cap of 0 pays nothing."""

    multiplier: float = 1.0
    cap: int = 22_000_000_000

    @property
    def is_free(self) -> bool:
        """Whether every transaction pays nothing, which needs a chain that takes gas for free."""
        return self.multiplier == 0 or self.cap == 0

    def price(self, quote: FeeQuote) -> int:
        """Return what a unit of gas is expected to cost today: for balances, not for offers.

        With a base fee the chain charges that and the tip, however much the multiplier raises the offer.
        """
        if self.is_free:
            return 0
        if quote.base_fee is None:
            return min(int(quote.gas_price * self.multiplier), self.cap)
        return min(quote.base_fee + quote.tip, self.cap)

    def offer(self, quote: FeeQuote) -> Offer:
        """Return the offer of a new transaction."""
        if self.is_free:
            return Offer(0)
        if quote.base_fee is None:
            return Offer(min(int(quote.gas_price * self.multiplier), self.cap))
        headroom = max(self.multiplier, 1.0) * BASE_FEE_HEADROOM
        max_fee = min(int(quote.base_fee * headroom) + quote.tip, self.cap)
        return Offer(max_fee, min(quote.tip, max_fee))

    def reaches(self, quote: FeeQuote) -> bool:
        """Return whether the cap allows a transaction to be mined today."""
        return self.is_free or quote.base_fee is None or quote.base_fee <= self.cap

    def reason_of_limit(self, quote: FeeQuote) -> str:
        """Return why the limits forbid the fee that a node requires, and what the operator can do."""
        if self.is_free:
            return "the node refuses a gas price of 0: raise the gas price multiplier and the gas price cap"
        fee = quote.gas_price if quote.base_fee is None else quote.base_fee
        return (
            f"the node wants more than the gas price cap of {self.cap} wei (today: {fee} wei): raise the cap"
        )

    def replacement(self, paid: Offer, quote: FeeQuote) -> Offer | None:
        """Return an offer that replaces `paid`; None when the limits forbid it."""
        if self.is_free:
            return None
        wanted = self.offer(quote)
        max_fee = max(_bumped(paid.max_fee), wanted.max_fee)
        if max_fee > self.cap:
            return None
        if paid.tip is None:
            return Offer(max_fee)
        # Nodes require a higher tip too, even when the old one was 0.
        return Offer(max_fee, min(max(_bumped(paid.tip), wanted.tip or 0), max_fee))

    def raised(self, refused: Offer, quote: FeeQuote) -> Offer | None:
        """Return a higher offer than one that a node refuses although the newest header allows it; None at the cap.

        The base fee may have risen a lot since that header, and a node may have a minimum of its own. With a base fee
        the offer doubles, which costs nothing by itself: the chain charges its base fee and the tip.
        """
        if self.is_free or refused.tip is None:
            return self.replacement(refused, quote)
        if refused.max_fee >= self.cap:
            return None
        fresh = self.offer(quote)
        max_fee = min(max(refused.max_fee * BASE_FEE_HEADROOM, fresh.max_fee), self.cap)
        return Offer(max_fee, min(max(_bumped(refused.tip), fresh.tip or 0), max_fee))


def _bumped(amount: int) -> int:
    return max(amount + -(-amount * BUMP_PERCENT // 100), amount + 1)
