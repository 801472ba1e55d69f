"""Recent refusals of workers' logins and connections, which show an operator why a worker is missing.

Any caller may name any wallet, so the memory is bounded and a refusal proves nothing about the wallet's owner.
"""

from collections import OrderedDict

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import address

from workerpool_core.domain.explanations.conditions import RefusedLogin

MOST = 256
"""Most remembered refusals, one for each wallet and reason; above it the oldest are dropped."""
_LONGEST_MESSAGE = 300


class Refusals:
    """The newest refusal of each wallet and reason, until the wallet connects or newer refusals evict it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], RefusedLogin] = OrderedDict()

    def record(self, wallet: str, reason: str, message: str, peer: str) -> None:
        """Record a refusal of a wallet; `reason` is that of the error, `peer` the address of the caller."""
        wallet, now = address(wallet), self._clock.now()
        known = self._known.pop((wallet, reason), None)
        count, first_at = (known.count + 1, known.first_at) if known is not None else (1, now)
        message = message[:_LONGEST_MESSAGE]
        self._known[wallet, reason] = RefusedLogin(wallet, reason, message, peer, count, first_at, now)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def forget(self, wallet: str) -> None:
        """Drop the refusals of a wallet that is connected now."""
        if self._known:
            for key in [key for key in self._known if key[0] == wallet]:
                del self._known[key]

    def newest(self, wallet: str = "") -> tuple[RefusedLogin, ...]:
        """Return the refusals, newest first; only those of `wallet` unless it is empty."""
        return tuple(each for each in reversed(self._known.values()) if wallet in ("", each.wallet))
