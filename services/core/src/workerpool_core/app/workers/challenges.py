"""Issued challenges that await a signature: one per address, for a limited time."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address

C = TypeVar("C")

_MAX_OPEN = 100_000
"""Most open challenges; above it the oldest is evicted, so that unauthenticated callers use bounded memory."""


@dataclass(frozen=True, slots=True)
class Open(Generic[C]):
    """A challenge and its expiry in Unix seconds."""

    challenge: C
    expires_at: float


class OpenChallenges(Generic[C]):
    """The open challenge of each address; each expires after `lifetime_s` seconds."""

    def __init__(self, clock: Clock, *, lifetime_s: float) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._open: OrderedDict[Address, Open[C]] = OrderedDict()

    def issue(self, wallet: Address, make: Callable[[], C]) -> Open[C]:
        """Return the open challenge of an address; create one if there is none.

        Returning the open one keeps another caller from cancelling the challenge that its owner is about to sign.
        """
        known = self.of(wallet)
        if known is None:
            known = self._open[wallet] = Open(make(), self._clock.now() + self._lifetime_s)
            while len(self._open) > _MAX_OPEN:
                self._open.popitem(last=False)
        return known

    def of(self, wallet: Address) -> Open[C] | None:
        """Return the open challenge of an address; None when there is none or it has expired."""
        known = self._open.get(wallet)
        if known is not None and self._clock.now() >= known.expires_at:
            del self._open[wallet]
            return None
        return known

    def consume(self, wallet: Address) -> None:
        """Remove the challenge of an address after its use."""
        self._open.pop(wallet, None)
