"""Requests to cancel withdrawn orders on chain, repeated until the chain shows the cancellation.

The chain adapter journals each request and sends the transaction; the publisher reads the result at core's block.
"""

from collections.abc import Iterable

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff

from workerpool_order_publisher import metrics
from workerpool_order_publisher.app.ports import Canceller, CancelRefusal, PeerOutage
from workerpool_order_publisher.domain.order_book import Order

log = get_logger()

REPEAT_S = 60.0
"""Seconds after which the cancellation of an order that can still be bought is requested again."""
_BACKOFF = Backoff(first_s=1.0, longest_s=60.0)


class Cancellations:
    """Requests the cancellations that withdrawn orders await."""

    def __init__(self, canceller: Canceller | None, clock: Clock) -> None:
        """Create it; without a canceller no order is cancelled."""
        self._canceller = canceller
        self._clock = clock
        self._pauses = _BACKOFF.steps()
        self._retry_at = 0.0
        self._requested_at: dict[str, float] = {}
        self._open = 0
        self.problem = ""
        """Why the last request failed, in one sentence; empty when it succeeded."""

    async def request(self, orders: Iterable[Order]) -> None:
        """Request the cancellations that are due among `orders`."""
        waiting = [order for order in orders if order.awaits_cancellation]
        self._open = sum(order.exposure for order in waiting)
        metrics.AWAITING_CANCELLATION.set(len(waiting))
        known = {order.hash for order in waiting}
        self._requested_at = {
            order_hash: at for order_hash, at in self._requested_at.items() if order_hash in known
        }
        if not waiting:
            self.problem = ""
        now = self._clock.now()
        if self._canceller is None or now < self._retry_at:
            return
        for order in waiting:
            due = now >= self._requested_at.get(order.hash, float("-inf")) + REPEAT_S
            if due and not await self._request_one(self._canceller, order, now):
                return

    @property
    def due_at(self) -> float:
        """When the next request is due, in Unix seconds; infinity when none is."""
        if not self._open:
            return float("inf")
        again = min(self._requested_at.values(), default=self._retry_at - REPEAT_S) + REPEAT_S
        return max(again, self._retry_at)

    @property
    def reason(self) -> str:
        """What the operator must know about orders that await their cancellation; empty when none does."""
        if not self._open:
            return ""
        sentence = (
            f"{self._open} tasks of withdrawn orders reserve slots until the chain shows their cancellation"
        )
        return f"{sentence}: {self.problem}" if self.problem else sentence

    async def _request_one(self, canceller: Canceller, order: Order, now: float) -> bool:
        """Request one cancellation; return whether the chain adapter answered."""
        first = order.hash not in self._requested_at
        try:
            await canceller.cancel(order)
        except PeerOutage as outage:
            pause = self._pauses.next_s()
            self._retry_at = now + pause
            if not self.problem:
                log.warning("cancellations.stopped", problem=str(outage), retry_in_s=round(pause, 1))
            self.problem = str(outage)
            return False
        except CancelRefusal as refusal:
            self.problem = str(refusal)
            log.warning("order.cancellation_refused", order=order.hash, reason=self.problem)
        else:
            self.problem = ""
            if first:
                metrics.CANCELLATIONS.inc()
                log.info("order.cancellation_requested", order=order.hash, reason=order.reason)
        self._requested_at[order.hash] = now
        self._pauses.reset()
        return True
