"""This publisher's orders, in memory and in the journal, and orders that others signed for the same pool."""

from collections.abc import Iterable
from dataclasses import replace

from workerpool_order_publisher.app.ports import Journal, Listed
from workerpool_order_publisher.domain.order_book import Order, OrderState

_RETENTION_S = 3_600.0
"""Seconds for which a closed order is recognised in a listing; later it would count as foreign."""


class Book:
    """The orders of the pool that can still be bought, and those closed recently."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._own: dict[str, Order] = {}
        self._foreign: dict[str, Order] = {}
        self._last_listing: frozenset[str] = frozenset()
        self.is_new = True
        """Whether the journal was empty, perhaps because its file was lost."""

    async def load(self) -> None:
        """Read the journal."""
        stored = await self._journal.load()
        self._own = {order.hash: order for order in stored}
        self.is_new = not stored

    @property
    def own(self) -> list[Order]:
        """The orders that this publisher signed."""
        return list(self._own.values())

    @property
    def foreign(self) -> list[Order]:
        """Orders of the pool that others signed, or that this publisher has removed from its journal."""
        return list(self._foreign.values())

    def get(self, order_hash: str) -> Order:
        """Return an order of this publisher."""
        return self._own[order_hash]

    async def put(self, order: Order) -> Order:
        """Store an order of this publisher durably, and return it."""
        known = self._own.get(order.hash)
        # The settled volume is not stored: after a restart it is read from the chain.
        if known is None or replace(known, settled=0) != replace(order, settled=0):
            await self._journal.save(order)
        self._own[order.hash] = order
        return order

    async def adopt(self, order: Order) -> None:
        """Add a listed order that is missing in the journal to this publisher's orders."""
        self._foreign.pop(order.hash, None)
        await self.put(replace(order, state=OrderState.OPEN, own=True))

    async def listed(self, listing: Iterable[Listed], now: float) -> None:
        """Update every order with a listing of the market."""
        by_hash = {found.hash: found for found in listing}
        self._last_listing = frozenset(by_hash)
        for order in self.own:
            await self.put(order.seen(listed=order.hash in by_hash))
        for order in self.foreign:
            self._foreign[order.hash] = order.seen(listed=order.hash in by_hash)
        for found in by_hash.values():
            if found.hash in self._own:
                continue
            known = self._foreign.get(found.hash)
            if known is None or known.state is not OrderState.OPEN:
                settled = 0 if known is None else known.settled
                self._foreign[found.hash] = Order(
                    found.hash,
                    found.salt,
                    found.terms,
                    found.volume,
                    now,
                    OrderState.OPEN,
                    settled=settled,
                    own=False,
                )

    async def drop_cancellations(self) -> None:
        """Let the market's withdrawal close every order, because orders are no longer cancelled on chain."""
        for order in self.own:
            if order.cancels:
                await self.put(replace(order, cancels=False))

    def at_risk(self) -> list[str]:
        """Return the hashes of the orders that can be bought, or may have been bought.

        A closed order counts again while the market lists it, because a reorganisation may have removed a purchase.
        """
        return [
            order.hash
            for order in (*self._own.values(), *self._foreign.values())
            if order.state is not OrderState.CLOSED or order.hash in self._last_listing
        ]

    async def settle(self, consumed: dict[str, int], cursor: int, now: float) -> None:
        """Update every order with the consumed volumes at core's block `cursor`."""
        for order in self.own:
            if order.hash in consumed:
                await self.put(order.settle(consumed[order.hash], cursor, now))
        for order in self.foreign:
            if order.hash in consumed:
                self._foreign[order.hash] = order.settle(consumed[order.hash], cursor, now)
        await self._forget(now)

    async def note_head(self, head: int) -> None:
        """Record `head` as a block mined after all withdrawals that the market has confirmed."""
        for order in self.own:
            if order.state is OrderState.WITHDRAWN and order.closes_at is None:
                await self.put(replace(order, closes_at=head))
        for order in self.foreign:
            if order.state is OrderState.WITHDRAWN and order.closes_at is None:
                self._foreign[order.hash] = replace(order, closes_at=head)

    def awaits_head(self) -> bool:
        """Return whether an order was withdrawn since the last `note_head`."""
        return any(
            order.state is OrderState.WITHDRAWN and order.closes_at is None
            for order in (*self._own.values(), *self._foreign.values())
        )

    async def _forget(self, now: float) -> None:
        """Remove orders that closed before the retention time."""
        old = now - _RETENTION_S
        ended = [o.hash for o in self.own if o.state is OrderState.CLOSED and o.created_at < old]
        if ended:
            await self._journal.forget(ended)
        for order_hash in ended:
            del self._own[order_hash]
        for order in self.foreign:
            if order.state is OrderState.CLOSED and order.created_at < old:
                del self._foreign[order.hash]
