"""The order publisher: compare core, chain and market, and execute the planner's decisions.

One round at a time reads what is due, plans, withdraws, and publishes at most one order. Each order is in the journal
before it is sent to the market, so an attempt whose outcome is unknown is repeated with the same hash.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial
from random import Random

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff

from workerpool_order_publisher import metrics
from workerpool_order_publisher.app.book import Book
from workerpool_order_publisher.app.cancellations import Cancellations
from workerpool_order_publisher.app.core_feed import CoreFeed
from workerpool_order_publisher.app.market_link import MarketLink
from workerpool_order_publisher.app.offers import Offers
from workerpool_order_publisher.app.ports import (
    Canceller,
    Chain,
    ChainOutage,
    Enclaves,
    Listed,
    Market,
    MarketOutage,
    MarketRefusal,
    PeerOutage,
    Reporter,
    Signer,
)
from workerpool_order_publisher.domain.limits import Cancel, Limits
from workerpool_order_publisher.domain.order_book import Order, OrderState
from workerpool_order_publisher.domain.planner import NewOrder, Plan, Situation, plan

log = get_logger()

LATE_S = 60.0
"""Seconds after its start during which a publication without an answer may still reach the market."""
_REFUSED = Backoff(first_s=5.0, longest_s=300.0)
_STOP_LIMIT_S = 6.0
_PAUSED, _STOPS = "ORDER_PUBLISHER_PAUSED is true", "the publisher stops"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds between two publications, between two listings, and until an unreachable core counts as lost."""

    publish_period_s: float = 3.0
    check_period_s: float = 15.0
    core_grace_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of the publisher; without a canceller no order is cancelled on chain."""

    market: Market
    chain: Chain
    signer: Signer
    enclaves: Enclaves
    market_health: Reporter
    chain_health: Reporter
    stake_health: Reporter
    canceller: Canceller | None = None


class Publisher:
    """Keeps the orders of one pool on one market."""

    def __init__(
        self,
        ports: Ports,
        book: Book,
        feed: CoreFeed,
        limits: Limits,
        clock: Clock,
        *,
        owner: str,
        timing: Timing = Timing(),
        random: Random | None = None,
        paused: bool = False,
    ) -> None:
        """Create the publisher; `owner` is the wallet that signs, `paused` withdraws every order and publishes none."""
        self._ports = ports
        self._book = book
        self._feed = feed
        self._limits = limits
        self._clock = clock
        self._owner = owner
        self._timing = timing
        self._random = random or Random()
        self._halt = _PAUSED if paused else ""
        self._link = MarketLink(clock, ports.market_health, metrics.MARKET_OUTAGES.inc)
        self._cancellations = Cancellations(ports.canceller, clock)
        self._adopts = book.is_new
        self._listed_at = float("-inf")
        self._settled_cursor = -1
        self._chain_lost_at: float | None = None
        self._stake: int | None = None
        self._sms_objection = self._enclave_objection = ""
        self._enclaves_checked_at = float("-inf")
        self._publish_at = 0.0
        self._refusals = _REFUSED.steps()
        self._refusal = ""
        self.offers = Offers()
        """The offers after the last round."""

    async def run(self) -> None:
        """Run rounds until cancelled: after each message of core, and when something is due."""
        while True:
            self._feed.changed.clear()
            again = await self.round()
            if again:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s()):
                    await self._feed.changed.wait()

    def change(self, limits: Limits, *, paused: bool) -> None:
        """Apply other limits from the next round on; orders of other terms are withdrawn."""
        self._limits = limits
        if self._halt != _STOPS:
            self._halt = _PAUSED if paused else ""
        self._feed.changed.set()

    async def stop(self) -> None:
        """Withdraw as many orders as the market confirms within a few seconds."""
        self._halt = _STOPS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_LIMIT_S):
                # The first round decides and requests cancellations on chain, even during an outage of the market.
                await self.round()
                while self._on_market() and self._link.is_open:
                    await self.round()
        if left := self._on_market():
            log.warning("orders.left_open", orders=[order.hash for order in left])

    async def round(self) -> bool:
        """Read what is due, plan and act once; return whether another round may act immediately."""
        await self._list()
        await self._read_chain()
        await self._check_enclaves()
        decided = plan(self._situation(), self._limits)
        acted = await self._withdraw(decided)
        await self._cancellations.request(self._book.own)
        acted = await self._publish(decided) or acted
        self._show(decided)
        return acted

    # --- reading --------------------------------------------------------------------------------

    async def _list(self) -> None:
        """List the market if that is due."""
        now = self._clock.now()
        due = not self._link.is_known or now >= self._listed_at + self._timing.check_period_s
        if not due or not self._link.is_open:
            return
        try:
            listing = await self._link.call(self._ports.market.listing)
        except MarketOutage:
            return
        await self._book.listed(listing, now)
        if self._adopts:
            self._adopts = False
            await self._adopt(listing)
        self._link.is_known = True
        self._listed_at = now
        # Read the purchases of newly listed orders before the next plan.
        self._settled_cursor = -1

    async def _adopt(self, listing: list[Listed]) -> None:
        """Adopt listed orders of the same terms that the pool owner signed, because the journal was lost."""
        listed = {found.hash: found for found in listing}
        for order in self._book.foreign:
            found = listed.get(order.hash)
            if found is not None and found.signer == self._owner and not self._limits.objection(order.terms):
                await self._book.adopt(order)
                log.info("order.adopted", order=order.hash)

    async def _read_chain(self) -> None:
        """Settle the orders at the newest block that core's supply includes."""
        supply = self._feed.supply
        try:
            if self._book.awaits_head():
                await self._book.note_head(await self._ports.chain.head())
                self._settled_cursor = -1
            if supply is None or supply.cursor == self._settled_cursor:
                return
            found = await self._ports.chain.settle(self._book.at_risk(), supply.cursor)
        except ChainOutage as outage:
            self._settled_cursor = -1
            if self._chain_lost_at is None:
                self._chain_lost_at = self._clock.now()
            self._ports.chain_health.fails(str(outage))
            return
        self._chain_lost_at = None
        self._ports.chain_health.works()
        self._stake = found.stake
        await self._book.settle(dict(found.consumed), supply.cursor, self._clock.now())
        self._settled_cursor = supply.cursor

    async def _check_enclaves(self) -> None:
        """Check whether tasks of an enclave tag can be served."""
        framework, now = self._limits.requirement.framework, self._clock.now()
        if framework is None:
            return
        if now >= self._enclaves_checked_at + self._timing.check_period_s:
            self._enclaves_checked_at = now
            try:
                self._sms_objection = await self._ports.enclaves.objection(framework)
            except PeerOutage as outage:
                self._sms_objection = str(outage)
        supply = self._feed.supply
        able = supply is not None and any(self._limits.requirement.is_met_by(g) for g in supply.groups)
        without = "" if able else f"no connected worker with a free slot supports {framework.name}"
        self._enclave_objection = self._sms_objection or without

    def _situation(self) -> Situation:
        supply = self._feed.supply
        settled = supply is not None and supply.cursor == self._settled_cursor
        return Situation(
            supply=supply,
            orders=self._book.own,
            foreign=self._book.foreign,
            stake=self._stake,
            halt=self._halt,
            lost=self._lost(),
            enclave_objection=self._enclave_objection,
            settled=settled,
            market_known=self._link.is_known,
        )

    def _lost(self) -> str:
        """Return which dependency has been lost for too long to leave orders open; empty for none."""
        grace, now = self._timing.core_grace_s, self._clock.now()
        if self._feed.silent_s > grace:
            return f"core has not answered for {grace:g} s"
        if self._chain_lost_at is not None and now - self._chain_lost_at > grace:
            return f"the node has not answered for {grace:g} s"
        return ""

    # --- acting ---------------------------------------------------------------------------------

    async def _withdraw(self, decided: Plan) -> bool:
        """Withdraw the orders of the plan; return whether the market confirmed one."""
        withdrawn = False
        for order_hash, reason in decided.withdraw.items():
            order = self._book.get(order_hash)
            order = await self._book.put(order.withdrawing(reason, cancels=order_hash in decided.cancel))
            if not self._link.is_open:
                continue
            try:
                await self._link.call(partial(self._ports.market.unpublish, order_hash))
            except MarketOutage:
                continue
            await self._book.put(order.withdrawn())
            metrics.WITHDRAWN.inc()
            log.info("order.withdrawn", order=order_hash, reason=reason)
            withdrawn = True
        return withdrawn

    async def _publish(self, decided: Plan) -> bool:
        """Publish the first planned order if that is due; return whether the market confirmed it."""
        now = self._clock.now()
        if now < self._publish_at or not self._link.is_open or not self._link.is_known:
            return False
        if decided.repeat:
            order = self._book.get(decided.repeat[0])
        elif decided.publish:
            order = self._new(decided.publish[0], now)
        else:
            return False
        self._publish_at = now + self._timing.publish_period_s
        attempt = await self._book.put(order.publishing(now + LATE_S))
        try:
            signed = self._ports.signer.signed(attempt)
            await self._link.call(partial(self._ports.market.publish, signed, attempt.hash))
        except MarketOutage:
            return False
        except MarketRefusal as refusal:
            # An earlier attempt may still arrive, and be copied before the next listing.
            cancels = self._limits.cancel is Cancel.ALWAYS and order.late_until > now
            await self._book.put(attempt.refused(str(refusal), order.late_until, cancels=cancels))
            pause = self._refusals.next_s()
            self._publish_at = now + pause
            self._refusal = f"the market refused an order: {refusal}"
            metrics.REFUSED.inc()
            log.warning("order.refused", order=attempt.hash, reason=str(refusal), retry_in_s=round(pause, 1))
            return False
        await self._book.put(attempt.published(order.late_until))
        self._refusals.reset()
        self._refusal = ""
        metrics.PUBLISHED.inc()
        terms = attempt.terms
        log.info(
            "order.published",
            order=attempt.hash,
            category=terms.category,
            price=terms.price,
            volume=attempt.volume,
        )
        return True

    def _new(self, wanted: NewOrder, now: float) -> Order:
        low, high = self._limits.prices
        terms = self._limits.terms(wanted.category, self._random.randint(low, high))
        return self._ports.signer.order(terms, wanted.volume, now)

    # --- showing --------------------------------------------------------------------------------

    def _wait_s(self) -> float:
        """Return the seconds until something is due, without a message of core."""
        now = self._clock.now()
        due = [self._listed_at + self._timing.check_period_s if self._link.is_known else self._link.retry_at]
        if self._publish_at > now:
            due.append(self._publish_at)
        due += [order.late_until for order in self._book.own if order.late_until > now]
        if self._link.problem:
            due.append(self._link.retry_at)
        due.append(self._cancellations.due_at)
        if self._feed.silent_s or self._chain_lost_at is not None:
            due.append(now + 1.0)
        return max(min(due) - now, 0.05)

    def _on_market(self) -> list[Order]:
        """Return the orders that the market may list."""
        return [order for order in self._book.own if order.exposure and order.state in _LISTED]

    def _show(self, decided: Plan) -> None:
        """Update GetOffers, health and metrics."""
        open_orders = [order for order in self._book.own if order.exposure]
        listed = self._on_market()
        reasons = list(decided.reasons)
        if self._link.problem:
            reasons.append(f"the market is unavailable: {self._link.problem}")
        if self._refusal:
            reasons.append(self._refusal)
        if self._cancellations.reason:
            reasons.append(self._cancellations.reason)
        self.offers = Offers(
            orders=tuple(open_orders),
            foreign_volume=sum(order.exposure for order in self._book.foreign),
            capacity=decided.capacity,
            open_volume=sum(order.exposure for order in listed),
            reasons=tuple(reasons),
            reconciled_at=self._clock.now() if self._settled_cursor >= 0 and self._link.is_known else None,
        )
        metrics.OPEN_ORDERS.set(len(listed))
        metrics.OPEN_VOLUME.set(self.offers.open_volume)
        metrics.CAPACITY.set(decided.capacity)
        stake = next((reason for reason in reasons if "stake of" in reason), "")
        if stake:
            self._ports.stake_health.fails(stake)
        elif self._stake is not None:
            self._ports.stake_health.works()


_LISTED = frozenset({OrderState.PLANNED, OrderState.OPEN, OrderState.WITHDRAWING})
