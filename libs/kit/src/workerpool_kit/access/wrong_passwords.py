"""A limit on wrong passwords per address of the caller, so that a password cannot be guessed."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from workerpool_kit.errors import Unauthenticated

ALLOWED = 10
"""Consecutive wrong passwords of one address before it must wait."""
PAUSE_S = 5.0
"""Seconds until the address may send another one."""
MAX_ADDRESSES = 10_000
"""Limit of tracked addresses; the least recent one is evicted."""
RETRY_AFTER = "retry_after_s"
"""Key of the error detail that holds the seconds to wait."""


class TooManyWrongPasswords(Unauthenticated):
    """The caller's address sent too many wrong passwords; its passwords are not checked for some seconds."""

    reason = "TOO_MANY_WRONG_PASSWORDS"

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            f"too many wrong passwords from this address; wait {wait_s} s, then send the right one",
            details={RETRY_AFTER: wait_s},
        )


class WrongPasswords:
    """Counts the wrong passwords of each address.

    An address that sent too many waits, even with the right password: otherwise refusals would not slow guessing.
    Callers of other addresses are not affected. An IPv6 address counts with its /64 network, which is one caller's.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Create it; `now` returns seconds."""
        self._now = now
        self._counts: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By caller: the count at a time; it decreases by one each `PAUSE_S`."""

    def check(self, address: str) -> None:
        """Raise TooManyWrongPasswords while an address must wait. Call it before a password is checked."""
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
