"""Timers by key."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from workerpool_core.domain.timers import Timeout, Timers


def fired(timers: Any, now: Any) -> Any:
    return [subject for _, subject, _ in timers.take_due(now)]


def test_timers_fire_in_the_order_of_their_times() -> None:
    timers = Timers()
    timers.set(Timeout.READ, "b", 2.0)
    timers.set(Timeout.READ, "a", 1.0)
    timers.set(Timeout.READ, "c", 3.0)
    assert fired(timers, 2.0) == ["a", "b"]
    assert timers.next() == 3.0


def test_a_key_fires_once_at_the_time_that_was_set_last() -> None:
    timers = Timers()
    timers.set(Timeout.READ, "a", 1.0)
    timers.set(Timeout.READ, "a", 5.0)
    assert fired(timers, 4.0) == []
    assert fired(timers, 5.0) == ["a"]
    assert timers.next() is None


def test_a_cancelled_timer_does_not_fire() -> None:
    timers = Timers()
    timers.set(Timeout.READ, "a", 1.0)
    timers.cancel(Timeout.READ, "a")
    assert not timers.is_set(Timeout.READ, "a")
    assert fired(timers, 9.0) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 10), st.booleans())))
def test_timers_behave_like_a_dictionary_of_times(steps: list[tuple[str, float, bool]]) -> None:
    timers = Timers()
    model: dict[str, float] = {}
    for subject, at, cancel in steps:
        if cancel:
            timers.cancel(Timeout.RETRY, subject)
            model.pop(subject, None)
        else:
            timers.set(Timeout.RETRY, subject, at)
            model[subject] = at
        assert timers.next() == (min(model.values()) if model else None)
    assert sorted(fired(timers, 10.0)) == sorted(model)
