"""The publisher: what it does in each situation, said in GetOffers and health."""

import contextlib
from dataclasses import replace
from random import Random

import pytest
from workerpool_order_publisher.app.offers import Offers
from workerpool_order_publisher.app.ports import MarketOutage
from workerpool_order_publisher.app.publisher import Timing
from workerpool_order_publisher.domain.limits import Cancel
from workerpool_order_publisher.domain.order_book import OrderState
from workerpool_order_publisher.domain.supply import WorkerGroup

from services.order_publisher.tests.simulation.runs import LIMITS, Run
from services.order_publisher.tests.simulation.world import Faults, World


async def started(slots: int = 2, **changes: object) -> Run:
    """Return a run whose publisher has offered every slot."""
    found = Run(World(Random(1), slots=slots), **changes)  # type: ignore[arg-type]
    await found.start()
    await step(found)
    return found


async def step(found: Run, seconds: float = 5, times: int = 6) -> None:
    """Let time pass, with core's word and rounds."""
    for _ in range(times):
        found.world.pass_time(seconds)
        found.world.cursor = found.world.block
        found.feed.received(found.world.supply())
        await found.rounds()


async def test_each_free_slot_has_an_order_and_a_bought_one_is_replaced_when_its_task_ended() -> None:
    found = await started(3)
    assert found.world.open_volume == 3
    found.world.buy()
    await step(found, times=1)
    assert found.world.commitments == 3
    await step(found, seconds=30, times=5)
    assert (found.world.open_volume, found.world.tasks) == (3, [])
    assert found.world.published == 4


async def test_publications_keep_their_distance() -> None:
    found = Run(World(Random(1), slots=5), timing=Timing(publish_period_s=3))
    await found.start()
    found.feed.received(found.world.supply())
    for expected in (1, 2, 3):
        await found.rounds()
        assert found.world.published == expected
        found.world.clock.advance(3)


async def test_a_pause_withdraws_every_order_and_says_so() -> None:
    found = await started()
    found.paused = True
    await found.start()
    await step(found)
    assert found.world.open_volume == 0
    assert found.publisher.offers.reasons == ("ORDER_PUBLISHER_PAUSED is true",)


async def test_changed_limits_apply_without_a_restart() -> None:
    found = await started()
    old = {offer.order.hash for offer in found.world.listed()}
    found.publisher.change(replace(LIMITS, prices=(7, 7)), paused=False)
    await step(found)
    assert {offer.order.terms.price for offer in found.world.listed()} == {7}
    assert {found.book.get(order_hash).reason for order_hash in old} == {"the price is 7 nRLC now"}
    found.publisher.change(replace(LIMITS, prices=(7, 7)), paused=True)
    await step(found)
    assert (found.world.open_volume, found.publisher.offers.reasons) == (
        0,
        ("ORDER_PUBLISHER_PAUSED is true",),
    )
    found.publisher.change(replace(LIMITS, prices=(7, 7)), paused=False)
    await step(found)
    assert found.world.open_volume == 2


async def test_a_change_during_a_stop_sells_nothing_again() -> None:
    found = await started()
    await found.publisher.stop()
    found.publisher.change(LIMITS, paused=False)
    await step(found)
    assert found.world.open_volume == 0


async def test_orders_that_await_their_cancellation_take_room_and_are_shown() -> None:
    found = await started(limits=replace(LIMITS, cancel=Cancel.TERMS))
    found.world.faults = Faults(adapter_outage=1.0)
    found.publisher.change(replace(found.limits, prices=(7, 7)), paused=False)
    await step(found)
    assert (found.world.open_volume, found.world.cancelled) == (0, 0)
    (reason,) = found.publisher.offers.reasons
    assert reason == (
        "2 tasks of withdrawn orders reserve slots until the chain shows their cancellation: "
        "the chain adapter does not answer"
    )
    found.world.faults = Faults()
    await step(found, seconds=60)
    assert (found.world.open_volume, found.world.cancelled) == (2, 2)
    assert found.publisher.offers.reasons == ()


@pytest.mark.parametrize("market", ["works", "away"])
async def test_a_stop_cancels_on_chain_also_while_the_market_is_away(market: str) -> None:
    found = await started(limits=replace(LIMITS, cancel=Cancel.TERMS))
    if market == "away":
        found.world.faults = Faults(outage=1.0)
        with contextlib.suppress(MarketOutage):
            await found.publisher._link.call(found.publisher._ports.market.listing)
    await found.publisher.stop()
    assert len(found.world.cancelling) == 2


async def test_a_stop_withdraws_every_order_when_asked() -> None:
    found = await started()
    await found.publisher.stop()
    assert found.world.open_volume == 0


async def test_a_stop_while_the_market_is_away_ends_at_once() -> None:
    found = await started()
    found.world.faults = Faults(outage=1.0)
    await found.publisher.stop()
    assert found.world.open_volume == 2


async def test_a_short_silence_of_core_changes_nothing_a_long_one_withdraws() -> None:
    found = await started()
    found.feed.lost()
    found.world.clock.advance(29)
    await found.rounds()
    assert found.world.open_volume == 2
    found.world.clock.advance(2)
    await found.rounds()
    assert found.world.open_volume == 0
    assert found.publisher.offers.reasons == ("core has not answered for 30 s",)


async def test_a_node_that_is_lost_for_long_withdraws() -> None:
    found = await started()
    found.world.faults = Faults(chain_outage=1.0)
    await step(found, seconds=5, times=5)
    assert (found.world.open_volume, found.chain_health.problem) == (2, "the node does not answer")
    await step(found, seconds=5, times=4)
    assert found.world.open_volume == 0


async def test_a_refusal_is_said_and_not_repeated_at_once() -> None:
    found = Run(World(Random(1), slots=2, faults=Faults(refusal=1.0)))
    await found.start()
    found.feed.received(found.world.supply())
    await found.rounds()
    (refused,) = found.book.own
    assert (refused.state, refused.reason) == (OrderState.WITHDRAWN, "50 orders are open")
    assert "the market refused an order: 50 orders are open" in found.publisher.offers.reasons
    found.world.clock.advance(2)
    await found.rounds()
    assert len(found.book.own) == 1
    found.world.faults = Faults()
    await step(found)
    assert found.world.open_volume == 2
    assert found.publisher.offers.reasons == ()


async def test_an_outage_of_the_market_is_said_in_one_sentence() -> None:
    found = await started()
    found.world.faults = Faults(outage=1.0)
    found.world.slots = 1
    await step(found)
    assert found.market_health.problem == "no answer"
    assert "the market is unavailable: no answer" in found.publisher.offers.reasons
    found.world.faults = Faults()
    await step(found, seconds=30)
    assert (found.world.open_volume, found.market_health.problem) == (1, "")


async def test_a_low_stake_is_said_in_words() -> None:
    found = Run(World(Random(1), slots=3, stake=3), limits=replace(LIMITS, prices=(10, 10)))
    await found.start()
    await step(found)
    assert found.world.open_volume == 1
    assert "deposit 6 nRLC more" in found.stake_health.problem
    found.world.stake = 9
    await step(found)
    assert (found.world.open_volume, found.stake_health.problem) == (3, "")


async def test_orders_are_adopted_when_the_journal_was_lost() -> None:
    found = await started()
    found.world.journal.clear()
    await found.start()
    await step(found)
    assert (found.world.published, found.world.open_volume) == (2, 2)
    assert [order.state for order in found.book.own] == [OrderState.OPEN] * 2


async def test_orders_of_others_are_counted_and_left_alone() -> None:
    found = await started(3)
    own = found.world.listed()[0].order
    by_hand = replace(own, hash="0x" + "ee" * 32, terms=replace(own.terms, trust=2), volume=2)
    found.world._accept(by_hand)
    await step(found)
    assert found.world.commitments == 3
    assert by_hand.hash in {offer.order.hash for offer in found.world.listed()}
    assert found.publisher.offers.foreign_volume == 2


async def test_an_enclave_tag_is_refused_with_a_sentence() -> None:
    found = Run(World(Random(1)), limits=replace(LIMITS, tag=f"0x{9:064x}"))
    await found.start()
    await step(found)
    assert found.world.open_volume == 0
    assert found.publisher.offers.reasons == ("no SMS serves TDX",)


async def test_the_offers_show_what_can_be_bought() -> None:
    found = await started(2)
    shown = found.publisher.offers
    assert isinstance(shown, Offers)
    assert (len(shown.orders), shown.open_volume, shown.capacity) == (2, 2, 2)
    assert shown.reconciled_at == found.world.clock.now()
    assert WorkerGroup(1, 2) in (found.feed.supply or pytest.fail("no supply")).groups
