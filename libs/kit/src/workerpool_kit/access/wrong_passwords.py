"""A limit on wrong passwords per address of the caller, so that a password cannot be guessed."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from workerpool_kit.errors import Unauthenticated

ALLOWED = 10
"""Wrong passwords of one address in a row."""
PAUSE_S = 5.0
"""Seconds after which the address may send one more."""
MAX_ADDRESSES = 10_000
"""Addresses that are remembered; beyond it the one that sent a wrong password least recently is forgotten."""
RETRY_AFTER = "retry_after_s"
"""The detail of the error that tells the seconds to wait."""


class TooManyWrongPasswords(Unauthenticated):
    """The address of the caller sent too many wrong passwords; further ones are not looked at for some seconds."""

    reason = "TOO_MANY_WRONG_PASSWORDS"

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            f"too many wrong passwords from this address; wait {wait_s} s, then send the right one",
            details={RETRY_AFTER: wait_s},
        )


class WrongPasswords:
    """Counts the wrong passwords of each address.

    An address that sent too many waits, also with the right password: else the refusals would not slow a guesser down.
    Callers of other addresses are not affected. An IPv6 address counts with its /64 network, which is one caller's.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Prepare; `now` returns seconds."""
        self._now = now
        self._counts: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By caller: the count at a time; it falls by one each `PAUSE_S`."""

    def check(self, address: str) -> None:
        """Raise TooManyWrongPasswords while an address must wait. Call it before a password is looked at."""
        excess = self._count(_caller(address)) - (ALLOWED - 1)
        if excess > 0:
            raise TooManyWrongPasswords(math.ceil(excess * PAUSE_S))

    def add(self, address: str) -> None:
        """Count a wrong password of an address."""
        caller = _caller(address)
        self._counts[caller] = (self._count(caller) + 1, self._now())
        self._counts.move_to_end(caller)
        while len(self._counts) > MAX_ADDRESSES:
            self._counts.popitem(last=False)

    def _count(self, caller: str) -> float:
        count, at = self._counts.get(caller, (0.0, 0.0))
        return max(count - max(self._now() - at, 0.0) / PAUSE_S, 0.0)


def _caller(address: str) -> str:
    """Return what counts as one caller: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
