"""The feed tells the newest supply and for how long core has been silent."""

from workerpool_kit.clock import FakeClock
from workerpool_order_publisher.app.core_feed import CoreFeed
from workerpool_order_publisher.domain.supply import Supply


def test_silence_counts_from_the_start_and_from_the_loss_of_the_stream() -> None:
    clock = FakeClock()
    feed = CoreFeed(clock)
    clock.advance(5)
    assert (feed.supply, feed.silent_s) == (None, 5)
    feed.received(Supply(3))
    clock.advance(100)
    assert (feed.supply, feed.silent_s, feed.changed.is_set()) == (Supply(3), 0, True)
    feed.changed.clear()
    feed.lost()
    feed.changed.clear()
    clock.advance(2)
    feed.lost()
    assert (feed.supply, feed.silent_s, feed.changed.is_set()) == (Supply(3), 2, False)


def test_an_outdated_supply_is_gone_without_a_loss() -> None:
    feed = CoreFeed(FakeClock())
    feed.received(Supply(1))
    feed.changed.clear()
    feed.outdated()
    assert (feed.supply, feed.silent_s, feed.changed.is_set()) == (None, 0.0, True)
