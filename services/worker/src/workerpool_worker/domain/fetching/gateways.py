"""The order in which IPFS gateways are tried: as configured, with recently failed ones last."""

from collections.abc import Sequence
from dataclasses import dataclass

FIRST_PAUSE_S = 30.0
"""Seconds for which a gateway is tried last after a failure."""
LONGEST_PAUSE_S = 900.0
"""Limit of these seconds, which double with each failure that follows a pause."""


@dataclass(slots=True)
class _Failures:
    in_a_row: int
    last_until: float


class GatewayHealth:
    """Failures of gateways, shared by all tasks of a worker. Times are seconds of a monotonic clock.

    No gateway is ever left out: one that failed may be the only one that has a content.
    """

    def __init__(self) -> None:
        self._failures: dict[str, _Failures] = {}

    def order(self, gateways: Sequence[str], now: float) -> tuple[str, ...]:
        """Return the gateways in the order of attempts: among those that failed, the one that is back first."""
        return tuple(sorted(gateways, key=lambda gateway: max(self._last_until(gateway), now)))

    def failed(self, gateway: str, now: float) -> float:
        """Count a failure, and return the seconds for which the gateway is tried last; 0 if it is already.

        Many tasks that meet one outage count as one.
        """
        past = self._failures.get(gateway)
        if past is not None and now < past.last_until:
            return 0.0
        recent = past is not None and now < past.last_until + LONGEST_PAUSE_S
        in_a_row = past.in_a_row + 1 if past is not None and recent else 1
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(in_a_row - 1, 16), LONGEST_PAUSE_S)
        self._failures[gateway] = _Failures(in_a_row, now + pause_s)
        return pause_s

    def worked(self, gateway: str) -> None:
        """Forget the failures of a gateway."""
        self._failures.pop(gateway, None)

    def _last_until(self, gateway: str) -> float:
        past = self._failures.get(gateway)
        return past.last_until if past is not None else float("-inf")
