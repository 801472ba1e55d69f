"""Runs of a publisher in a world, with the invariant checked after each step."""

import random as global_random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from workerpool_order_publisher.app.book import Book
from workerpool_order_publisher.app.core_feed import CoreFeed
from workerpool_order_publisher.app.publisher import Ports, Publisher, Timing
from workerpool_order_publisher.domain.limits import Limits

from services.order_publisher.tests.simulation.world import (
    FakeAdapter,
    FakeChain,
    FakeJournal,
    FakeMarket,
    FakeSigner,
    Faults,
    Killed,
    NoEnclaves,
    Said,
    World,
)

ZERO = "0x" + "00" * 20
LIMITS = Limits((0,), (0, 0), "0x" + "00" * 32, 1, ZERO, ZERO, ZERO)
TIMING = Timing(publish_period_s=1.0, check_period_s=10.0, core_grace_s=30.0)
FAULTS = Faults(kill=0.01, outage=0.08, chain_outage=0.03, refusal=0.02, adapter_outage=0.1)


@dataclass
class Run:
    """One world with the publisher of the moment."""

    world: World
    limits: Limits = LIMITS
    timing: Timing = TIMING
    paused: bool = False
    restarts: int = 0
    market_health: Said = field(default_factory=Said)
    chain_health: Said = field(default_factory=Said)
    stake_health: Said = field(default_factory=Said)

    async def start(self) -> None:
        """Start a publisher from the journal."""
        book = Book(FakeJournal(self.world))
        await book.load()
        self.book = book
        self.feed = CoreFeed(self.world.clock)
        self.publisher = Publisher(
            Ports(
                FakeMarket(self.world),
                FakeChain(self.world),
                FakeSigner(self.world),
                NoEnclaves(),
                self.market_health,
                self.chain_health,
                self.stake_health,
                FakeAdapter(self.world),
            ),
            book,
            self.feed,
            self.limits,
            self.world.clock,
            owner="owner",
            timing=self.timing,
            random=self.world.random,
            paused=self.paused,
        )

    async def rounds(self, most: int = 8) -> None:
        """Let the publisher act until it waits. A kill restarts it."""
        try:
            for _ in range(most):
                if not await self.publisher.round():
                    return
        except Killed:
            self.restarts += 1
            await self.start()

    async def settle_down(self) -> None:
        """End all faults, and let the publisher reach its goal."""
        self.world.faults = Faults()
        self.world.market_down_until = 0.0
        for _ in range(60):
            self.world.pass_time(5)
            self.world.cursor = self.world.block
            self.feed.received(self.world.supply())
            await self.rounds()


async def run(
    seed: int,
    *,
    restarts: int = 50,
    limits: Limits = LIMITS,
    copiers: bool = False,
    check: Callable[[World], None],
    change: Callable[[Run], None] = lambda _run: None,
) -> Run:
    """Run until the publisher was restarted so many times; `check` is called after each step."""
    global_random.seed(seed)
    random = Random(seed)
    world = World(random, slots=random.randint(1, 6), faults=replace(FAULTS), copiers=copiers)
    found = Run(world, limits)
    await found.start()
    while found.restarts < restarts:
        world.pass_time(random.choice((0.2, 1, 3, 8)))
        if random.random() < 0.4:
            world.buy(random.randint(1, 3))
        if random.random() < 0.01:
            world.market_down_until = world.clock.now() + random.uniform(1, 90)
        check(world)
        if random.random() < 0.02:
            found.feed.lost()
        elif random.random() < 0.9:
            found.feed.received(world.supply())
        if random.random() < 0.01:
            found.restarts += 1
            await found.start()
        change(found)
        await found.rounds()
        check(world)
    return found
