"""A market, a chain, a core and a file system that fail at random, for the publisher that they drive.

Time is a number. Nothing suspends, so a seed replays the same run. `Killed` ends the process at any call, before or
after its effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from workerpool_kit.clock import FakeClock
from workerpool_order_publisher.app.ports import (
    ChainOutage,
    Listed,
    MarketOutage,
    MarketRefusal,
    PeerOutage,
    Settled,
)
from workerpool_order_publisher.app.publisher import LATE_S
from workerpool_order_publisher.domain.order_book import Order, Terms
from workerpool_order_publisher.domain.supply import Supply, WorkerGroup
from workerpool_poco.protocol.tags import TeeFramework


class Killed(BaseException):
    """The process was killed."""


@dataclass(slots=True)
class Offer:
    """An order on the market, whether or not it is listed now."""

    order: Order
    listed: bool
    consumed: int = 0

    @property
    def remaining(self) -> int:
        return self.order.volume - self.consumed


@dataclass(slots=True)
class Task:
    """A task that was bought in a block; it runs from the moment that core assigns it until `ends_at`."""

    block: int
    ends_at: float | None = None


@dataclass(slots=True)
class Faults:
    """Probabilities per call."""

    kill: float = 0.0
    outage: float = 0.0
    chain_outage: float = 0.0
    refusal: float = 0.0
    adapter_outage: float = 0.0


@dataclass(slots=True)
class World:
    """The truth outside of the publisher."""

    random: Random
    slots: int = 4
    clock: FakeClock = field(default_factory=FakeClock)
    faults: Faults = field(default_factory=Faults)
    block: int = 10
    cursor: int = 10
    offers: dict[str, Offer] = field(default_factory=dict)
    late: list[tuple[float, Order]] = field(default_factory=list)
    copiers: bool = False
    cancelling: list[tuple[int, str]] = field(default_factory=list)
    cancelled: int = 0
    tasks: list[Task] = field(default_factory=list)
    purchases: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    journal: dict[str, Order] = field(default_factory=dict)
    accepts_work: bool = True
    market_down_until: float = 0.0
    stake: int = 10**9
    told: Supply | None = None
    salt: int = 0
    published: int = 0
    known: dict[str, Order] = field(default_factory=dict)

    # --- time -----------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Mine blocks, deliver late publications, assign and finish tasks, and let buyers buy."""
        self.clock.advance(seconds)
        now = self.clock.now()
        self.block += self.random.randint(0, 2)
        for due, order in list(self.late):
            if due <= now:
                self.late.remove((due, order))
                self._accept(order)
        self._close_orders()
        self.cursor = self.random.randint(self.cursor, self.block)
        self._work(now)

    def _work(self, now: float) -> None:
        self.tasks = [task for task in self.tasks if task.ends_at is None or task.ends_at > now]
        for task in self.tasks:
            running = sum(one.ends_at is not None for one in self.tasks)
            if task.ends_at is None and task.block <= self.cursor and running < self.slots:
                task.ends_at = now + self.random.uniform(1, 60)

    def _close_orders(self) -> None:
        """Mine the cancellations of the chain adapter, each some blocks after its request."""
        for due, order_hash in list(self.cancelling):
            if due <= self.block:
                self.cancelling.remove((due, order_hash))
                offer = self.offers.get(order_hash)
                # The hub closes an order that no market ever had, too.
                left = self.known[order_hash].volume if offer is None else offer.remaining
                if offer is not None:
                    offer.consumed = offer.order.volume
                self.purchases.setdefault(order_hash, []).append((self.block, left))
                self.cancelled += 1

    def buy(self, most: int = 1) -> None:
        """Let a requester buy: from the listed orders, and with `copiers` from every order that was ever listed."""
        listed = self.matchable() if self.copiers else self.listed()
        for _ in range(min(most, len(listed))):
            offer = self.random.choice(listed)
            if offer.remaining:
                volume = self.random.randint(1, offer.remaining)
                self.block += 1
                offer.consumed += volume
                self.purchases.setdefault(offer.order.hash, []).append((self.block, volume))
                self.tasks += [Task(self.block) for _ in range(volume)]

    def supply(self) -> Supply:
        """Return what core streams now."""
        known = [task for task in self.tasks if task.block <= self.cursor]
        running = sum(task.ends_at is not None for task in known)
        free = max(self.slots - running, 0)
        groups = (WorkerGroup(1, free),) if free else ()
        self.told = Supply(self.cursor, groups, len(known) - running, self.accepts_work)
        return self.told

    # --- truth ----------------------------------------------------------------------------------

    @property
    def open_volume(self) -> int:
        """The tasks that anyone can buy now."""
        return sum(offer.remaining for offer in self.listed())

    def listed(self) -> list[Offer]:
        """The orders that anyone can buy now."""
        return [offer for offer in self.offers.values() if offer.listed and offer.remaining]

    def matchable(self) -> list[Offer]:
        """The orders that someone who copied every signature on the market can buy now."""
        return [offer for offer in self.offers.values() if offer.remaining]

    @property
    def copied_commitments(self) -> int:
        """The tasks that copied signatures can buy, or that were bought and have not ended."""
        return sum(offer.remaining for offer in self.matchable()) + len(self.tasks)

    @property
    def commitments(self) -> int:
        """The tasks that can be bought, or were bought and have not ended."""
        return self.open_volume + len(self.tasks)

    def consumed_at(self, order_hash: str, block: int) -> int:
        return sum(volume for at, volume in self.purchases.get(order_hash, ()) if at <= block)

    def _accept(self, order: Order) -> None:
        known = self.offers.get(order.hash)
        if known is not None:
            known.listed = True
            return
        self.offers[order.hash] = Offer(order, listed=True, consumed=self.consumed_at(order.hash, self.block))
        self.published += 1

    # --- faults ---------------------------------------------------------------------------------

    def may_die(self) -> None:
        if self.random.random() < self.faults.kill:
            raise Killed

    def _market_fails(self) -> bool:
        return self.clock.now() < self.market_down_until or self.random.random() < self.faults.outage


@dataclass(slots=True)
class FakeMarket:
    """The market as the publisher sees it."""

    world: World

    async def listing(self) -> list[Listed]:
        self._reach()
        return [
            Listed(o.order.hash, o.order.salt, o.order.terms, o.order.volume, "owner")
            for o in self.world.listed()
        ]

    async def publish(self, order: Mapping[str, Any], order_hash: str) -> None:
        world = self.world
        self._reach()
        if world.random.random() < world.faults.refusal:
            raise MarketRefusal("50 orders are open")
        if world._market_fails():
            fate = world.random.choice(("lost", "arrived", "late"))
            if fate == "arrived":
                world._accept(order["order"])
            elif fate == "late":
                world.late.append((world.clock.now() + world.random.uniform(0, LATE_S - 1), order["order"]))
            raise MarketOutage("no answer")
        known = world.offers.get(order_hash)
        if known is not None and not known.remaining:
            raise MarketRefusal("no volume is left")
        world._accept(order["order"])
        world.may_die()

    async def unpublish(self, order_hash: str) -> None:
        self._reach()
        known = self.world.offers.get(order_hash)
        if known is not None:
            known.listed = False
        self.world.may_die()
        if self.world._market_fails():
            raise MarketOutage("no answer")

    def _reach(self) -> None:
        self.world.may_die()
        if self.world._market_fails():
            raise MarketOutage("no answer", retry_after_s=self.world.random.choice((None, 3.0)))


@dataclass(slots=True)
class FakeChain:
    """The hub as the publisher sees it."""

    world: World

    async def head(self) -> int:
        self._reach()
        return self.world.block

    async def settle(self, order_hashes: Sequence[str], block: int) -> Settled:
        self._reach()
        return Settled({h: self.world.consumed_at(h, block) for h in order_hashes}, self.world.stake)

    def _reach(self) -> None:
        self.world.may_die()
        if self.world.random.random() < self.world.faults.chain_outage:
            raise ChainOutage("the node does not answer")


@dataclass(slots=True)
class FakeAdapter:
    """The chain adapter as the publisher sees it: what it accepted is mined sooner or later."""

    world: World

    async def cancel(self, order: Order) -> None:
        world = self.world
        world.may_die()
        if world.random.random() < world.faults.adapter_outage:
            raise PeerOutage("the chain adapter does not answer")
        world.known[order.hash] = order
        if order.hash not in {known for _, known in world.cancelling}:
            world.cancelling.append((world.block + world.random.randint(1, 6), order.hash))
        world.may_die()
        if world.random.random() < world.faults.adapter_outage:
            raise PeerOutage("the chain adapter does not answer")


@dataclass(slots=True)
class FakeSigner:
    """Numbers the orders instead of signing them."""

    world: World

    def order(self, terms: Terms, volume: int, created_at: float) -> Order:
        self.world.salt += 1
        name = f"0x{self.world.salt:064x}"
        return Order(name, name, terms, volume, created_at)

    def signed(self, order: Order) -> Mapping[str, Any]:
        return {"order": order}


@dataclass(slots=True)
class FakeJournal:
    """A file that survives the process. A kill falls before or after the write."""

    world: World

    async def load(self) -> list[Order]:
        return [replace(order, settled=0) for order in self.world.journal.values()]

    async def save(self, order: Order) -> None:
        self.world.may_die()
        self.world.journal[order.hash] = order
        self.world.may_die()

    async def forget(self, order_hashes: Sequence[str]) -> None:
        for order_hash in order_hashes:
            del self.world.journal[order_hash]


class NoEnclaves:
    """No SMS serves any framework."""

    async def objection(self, framework: TeeFramework) -> str:
        return f"no SMS serves {framework.name}"


@dataclass(slots=True)
class Said:
    """Records what health would show."""

    problem: str = ""

    def works(self) -> None:
        self.problem = ""

    def fails(self, problem: str) -> None:
        self.problem = problem
