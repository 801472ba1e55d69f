"""Gas prices, in wei: min(network price × multiplier, cap), and what a replacement must pay."""

from dataclasses import dataclass

BUMP_PERCENT = 15
"""Nodes take a replacement that pays at least 10 % more; 15 leaves room for rounding."""


@dataclass(frozen=True)
class GasPolicy:
    """The pool owner's limits; `cap` in wei. A cap of 0 means transactions that pay nothing."""

    multiplier: float = 1.0
    cap: int = 22_000_000_000

    def price(self, network_price: int) -> int:
        """Return what a new transaction pays."""
        return min(int(network_price * self.multiplier), self.cap)

    def bumped(self, paid: int, network_price: int) -> int | None:
        """Return what a replacement of a transaction that paid `paid` pays; None when the cap forbids it."""
        least = max(paid + -(-paid * BUMP_PERCENT // 100), paid + 1)
        wanted = max(least, self.price(network_price))
        return wanted if wanted <= self.cap else None
