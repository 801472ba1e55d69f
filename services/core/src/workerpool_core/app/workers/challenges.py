"""Challenges that were given out and wait to be signed: one for each address, for a limited time."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address

C = TypeVar("C")

_MOST = 100_000
"""Open challenges kept; past it the oldest is forgotten, so that asking costs a stranger nothing of ours."""


@dataclass(frozen=True, slots=True)
class Open(Generic[C]):
    """A challenge and when it ends, in Unix seconds."""

    challenge: C
    expires_at: float


class OpenChallenges(Generic[C]):
    """The open challenge of each address; each lasts `lifetime_s` seconds at most."""

    def __init__(self, clock: Clock, *, lifetime_s: float) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._open: OrderedDict[Address, Open[C]] = OrderedDict()

    def give(self, who: Address, make: Callable[[], C]) -> Open[C]:
        """Return the address's open challenge, made now if there is none.

        Handing out the open one again keeps a stranger from cancelling what its owner is about to sign.
        """
        known = self.of(who)
        if known is None:
            known = self._open[who] = Open(make(), self._clock.now() + self._lifetime_s)
            while len(self._open) > _MOST:
                self._open.popitem(last=False)
        return known

    def of(self, who: Address) -> Open[C] | None:
        """Return the address's open challenge; None when there is none, or when it has expired."""
        known = self._open.get(who)
        if known is not None and self._clock.now() >= known.expires_at:
            del self._open[who]
            return None
        return known

    def use_up(self, who: Address) -> None:
        """Forget the address's challenge: it has opened what it was for."""
        self._open.pop(who, None)
