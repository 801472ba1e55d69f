"""Issued log challenges: several per requester, because a tool may read the logs of many tasks at once."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.encoding.typed_data import LogChallenge
from workerpool_poco.protocol.ids import Address

LIFETIME_S = 3600.0
"""Lifetime of a challenge in seconds, as in the published scheduler."""
MAX_EACH = 16
"""Most open challenges of one requester."""
_MOST = 100_000
"""Most challenges; above it the oldest are evicted, so that unauthenticated callers use bounded memory."""


@dataclass(slots=True, eq=False)
class IssuedChallenge:
    """A challenge, its expiry in Unix seconds, and whether it was used."""

    challenge: LogChallenge
    expires_at: float
    used: bool = False


class LogChallenges:
    """The issued challenges until they expire, including used ones, so that a replay differs from a forgery."""

    def __init__(self, clock: Clock, make: Callable[[], LogChallenge]) -> None:
        """Create without challenges; `make` returns a challenge with an unpredictable text."""
        self._clock = clock
        self._make = make
        self._issued: OrderedDict[Address, list[IssuedChallenge]] = OrderedDict()
        self._count = 0

    def issue(self, requester: Address) -> LogChallenge:
        """Return a new challenge, or an open one while the requester has `MAX_EACH` of them.

        Any caller may request one for any address, so a new challenge never evicts an open one of the same address: its
        owner may be about to sign it.
        """
        known = self.of(requester)
        if len(known) >= MAX_EACH:
            used = next((each for each in known if each.used), None)
            if used is None:
                # Rotate, so that two tools rarely share one.
                known.append(known.pop(0))
                return known[-1].challenge
            known.remove(used)
            self._count -= 1
        new = IssuedChallenge(self._make(), self._clock.now() + LIFETIME_S)
        known.append(new)
        self._issued[requester] = known
        self._count += 1
        while self._count > _MOST:
            _, evicted = self._issued.popitem(last=False)
            self._count -= len(evicted)
        return new.challenge

    def of(self, requester: Address) -> list[IssuedChallenge]:
        """Return the challenges of a requester that have not expired."""
        known = self._issued.get(requester, [])
        now = self._clock.now()
        expired = [each for each in known if now >= each.expires_at]
        for each in expired:
            known.remove(each)
        self._count -= len(expired)
        if not known:
            self._issued.pop(requester, None)
        return known
