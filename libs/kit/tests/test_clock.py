"""Clocks."""

import time

from workerpool_kit.clock import FakeClock, SystemClock


def test_system_clock_is_the_time_of_the_machine() -> None:
    before = time.time()
    assert before <= SystemClock().now() <= time.time()


def test_fake_clock_moves_only_by_hand() -> None:
    clock = FakeClock(100.0)
    assert clock.now() == clock.now() == 100.0
    clock.advance(2.5)
    clock.advance(-1)
    assert clock.now() == 101.5
