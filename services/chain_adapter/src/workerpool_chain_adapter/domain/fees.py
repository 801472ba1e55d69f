"""Gas prices, in wei: min(network price × multiplier, cap), and the price of a replacement."""

from dataclasses import dataclass

BUMP_PERCENT = 15
"""Geth, Besu and Nethermind accept a replacement from 10 % more, OpenEthereum from 12.5 %; 15 % satisfies all."""

TRANSFER_GAS = 21_000
"""Gas of a transfer without data: the minimum of any transaction (Yellow Paper, G_transaction)."""


@dataclass(frozen=True)
class GasPolicy:
    """The pool owner's limits; `cap` in wei. A multiplier or cap of 0 sends transactions that pay nothing."""

    multiplier: float = 1.0
    cap: int = 22_000_000_000

    @property
    def is_free(self) -> bool:
        """Whether every transaction pays nothing, which needs a chain that takes gas for free."""
        return self.multiplier == 0 or self.cap == 0

    def price(self, network_price: int) -> int:
        """Return the gas price of a new transaction."""
        return min(int(network_price * self.multiplier), self.cap)

    def bumped(self, paid: int, network_price: int) -> int | None:
        """Return the gas price of a replacement for one that pays `paid`; None when the limits forbid it."""
        if self.is_free:
            return None
        least = max(paid + -(-paid * BUMP_PERCENT // 100), paid + 1)
        wanted = max(least, self.price(network_price))
        return wanted if wanted <= self.cap else None
