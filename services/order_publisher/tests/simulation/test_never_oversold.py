"""Restarts, market outages and late publications at random: never over-sold, never two orders for one slot."""

from dataclasses import replace
from typing import Any

import pytest
from workerpool_order_publisher.app import book as book_module
from workerpool_order_publisher.app import publisher as publisher_module
from workerpool_order_publisher.domain.limits import Cancel
from workerpool_order_publisher.domain.order_book import Order

from services.order_publisher.tests.simulation.runs import LIMITS, Run, run
from services.order_publisher.tests.simulation.world import World

RESTARTS = 50


def never_oversold(world: World) -> None:
    """What can be bought and what was bought fits into the slots at each moment."""
    assert world.commitments <= world.slots, (
        f"{world.open_volume} tasks on offer and {len(world.tasks)} bought, for {world.slots} slots"
    )


FULL = pytest.mark.full


def seeds(first: int, count: int) -> list[Any]:
    """Return seeds of which `make test` runs the first two."""
    return [
        pytest.param(seed, marks=() if seed < first + 2 else FULL) for seed in range(first, first + count)
    ]


@pytest.mark.parametrize("seed", seeds(0, 40))
async def test_fifty_restarts_and_outages_never_oversell(seed: int) -> None:
    found = await run(seed, restarts=RESTARTS, check=never_oversold)
    assert found.restarts >= RESTARTS
    assert found.world.published > 20, "the run sold something"
    await found.settle_down()
    never_oversold(found.world)
    world = found.world
    assert world.commitments == world.slots, f"seed {seed}: {found.publisher.offers.reasons}"


@pytest.mark.parametrize("seed", seeds(100, 20))
async def test_price_changes_at_restarts_never_sell_a_slot_at_two_prices(seed: int) -> None:
    def change(found: Run) -> None:
        world = found.world
        if world.random.random() < 0.03:
            price = world.random.choice((0, 10, 20))
            found.limits = replace(LIMITS, prices=(price, price), volume=world.random.choice((1, 2)))

    found = await run(seed, restarts=RESTARTS, check=never_oversold, change=change)
    await found.start()
    await found.settle_down()
    assert {offer.order.terms.price for offer in found.world.listed()} <= {found.limits.prices[0]}
    assert found.world.commitments == found.world.slots


@pytest.mark.parametrize("seed", seeds(200, 20))
async def test_slots_that_come_and_go_are_followed(seed: int) -> None:
    """Slots that vanish may leave offers for a while; nothing is published beyond what core told."""

    def change(found: Run) -> None:
        world = found.world
        if world.random.random() < 0.05:
            world.slots = world.random.randint(0, 6)
        if world.random.random() < 0.02:
            world.accepts_work = not world.accepts_work

    found = await run(seed, restarts=RESTARTS, check=lambda _world: None, change=change)
    world = found.world
    for slots in (2, 0, 5):
        world.slots, world.accepts_work = slots, True
        await found.settle_down()
        assert world.open_volume == max(slots - len(world.tasks), 0)
    world.accepts_work = False
    await found.settle_down()
    assert world.open_volume == 0


def never_oversold_to_copiers(world: World) -> None:
    """What can be matched by any signature that was ever listed, and what was bought, fits into the slots."""
    assert world.copied_commitments <= world.slots, (
        f"{world.copied_commitments} tasks can be matched or were bought, for {world.slots} slots"
    )


CANCELLING = replace(LIMITS, cancel=Cancel.ALWAYS)


def other_prices(found: Run) -> None:
    """Restart with another price now and then."""
    world = found.world
    if world.random.random() < 0.03:
        price = world.random.choice((0, 10, 20))
        volume = world.random.choice((1, 2))
        found.limits = replace(found.limits, prices=(price, price), volume=volume)


@pytest.mark.parametrize("seed", seeds(300, 20))
async def test_with_cancellations_copied_signatures_never_oversell(seed: int) -> None:
    found = await run(
        seed,
        restarts=RESTARTS,
        limits=CANCELLING,
        copiers=True,
        check=never_oversold_to_copiers,
        change=other_prices,
    )
    await found.start()
    await found.settle_down()
    world = found.world
    never_oversold_to_copiers(world)
    assert world.cancelled > 0, "the run cancelled something"
    assert {offer.order.terms.price for offer in world.matchable()} <= {found.limits.prices[0]}
    assert world.copied_commitments == world.slots, f"seed {seed}: {found.publisher.offers.reasons}"


@pytest.mark.parametrize("seed", seeds(400, 10))
async def test_after_a_price_change_no_order_on_offer_can_be_copied_at_its_old_price(seed: int) -> None:
    """With `terms`, orders that left before, because the pool could not serve them, are not cancelled."""
    limits = replace(LIMITS, cancel=Cancel.TERMS)
    found = await run(seed, restarts=5, limits=limits, check=lambda _world: None, change=other_prices)
    await found.settle_down()
    on_offer = {offer.order.hash for offer in found.world.listed()}
    assert on_offer
    found.limits = replace(limits, prices=(30, 30))
    await found.start()
    await found.settle_down()
    assert not on_offer & {offer.order.hash for offer in found.world.matchable()}
    assert {offer.order.terms.price for offer in found.world.listed()} == {30}


@pytest.mark.parametrize("cancel", [Cancel.NEVER, Cancel.TERMS])
async def test_the_copiers_of_the_simulation_are_dangerous(cancel: Cancel) -> None:
    """Without cancellations the same runs are found to be over-sold."""

    def change(found: Run) -> None:
        if cancel is Cancel.NEVER:
            other_prices(found)
        else:
            found.paused = found.world.random.random() < 0.5
            found.world.accepts_work = found.world.random.random() < 0.9

    with pytest.raises(AssertionError, match="can be matched"):
        for seed in range(20):
            await run(
                seed,
                restarts=RESTARTS,
                limits=replace(LIMITS, cancel=cancel),
                copiers=True,
                check=never_oversold_to_copiers,
                change=change,
            )


BUGS = {
    "an order without an answer counts as lost at once": lambda patch: patch.setattr(
        publisher_module, "LATE_S", 0.0
    ),
    "a withdrawn order is not looked up again": lambda patch: patch.setattr(
        book_module.Book, "note_head", _forget_withdrawn
    ),
    "a purchase counts before core knows it": lambda patch: patch.setattr(
        Order, "settle", _settle_at_the_head
    ),
}


async def _forget_withdrawn(self: book_module.Book, head: int) -> None:
    for order in self.own:
        if order.closes_at is None:
            await self.put(replace(order, closes_at=0, late_until=0.0))


def _settle_at_the_head(self: Order, consumed: int, cursor: int, now: float) -> Order:
    return ORIGINAL_SETTLE(self, self.volume if consumed else 0, cursor, now)


ORIGINAL_SETTLE = Order.settle


@pytest.mark.parametrize("bug", BUGS)
async def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)
    with pytest.raises(AssertionError):
        for seed in range(100):
            await run(seed, restarts=RESTARTS, limits=replace(LIMITS, volume=3), check=never_oversold)
