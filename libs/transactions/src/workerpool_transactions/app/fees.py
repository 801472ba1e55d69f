"""Today's fees and the wallet's balance, read no more often than needed."""

from workerpool_transactions.domain.answers import FeeQuote
from workerpool_transactions.ports import Node, Timer

QUOTE_S = 1.0
"""How long a quote serves new transactions; an offer has headroom for more."""


class Fees:
    """Caches the newest fee quote and balance."""

    def __init__(self, node: Node, timer: Timer) -> None:
        self._node = node
        self._timer = timer
        self._quoted_at: float | None = None
        self._read_at: float | None = None
        self.newest: FeeQuote | None = None
        self.balance: int | None = None

    async def quote(self, max_age_s: float = QUOTE_S) -> FeeQuote:
        """Return a quote that is less than `max_age_s` seconds old, 0 for a new one. Raises ChainUnreachable."""
        now = self._timer.time()
        if self.newest is None or self._quoted_at is None or now - self._quoted_at >= max_age_s:
            self.newest = await self._node.quote()
            self._quoted_at = now
        return self.newest

    def is_balance_older(self, than_s: float) -> bool:
        """Return whether the balance should be read again."""
        return self._read_at is None or self._timer.time() - self._read_at >= than_s

    async def refresh_balance(self) -> None:
        """Read balance and fees. Raises ChainUnreachable."""
        self._read_at = self._timer.time()
        self.balance = await self._node.balance()
        await self.quote()
