"""Deadlines by key."""

from hypothesis import given
from hypothesis import strategies as st
from workerpool_core.domain.timers import Timeout, Timers


def rung(timers, now):
    return [subject for _, subject, _ in timers.take_due(now)]


def test_alarms_ring_in_the_order_of_their_times():
    timers = Timers()
    timers.set(Timeout.READ, "b", 2.0)
    timers.set(Timeout.READ, "a", 1.0)
    timers.set(Timeout.READ, "c", 3.0)
    assert rung(timers, 2.0) == ["a", "b"]
    assert timers.next() == 3.0


def test_a_key_rings_once_at_its_latest_choice():
    timers = Timers()
    timers.set(Timeout.READ, "a", 1.0)
    timers.set(Timeout.READ, "a", 5.0)
    assert rung(timers, 4.0) == []
    assert rung(timers, 5.0) == ["a"]
    assert timers.next() is None


def test_a_cancelled_alarm_does_not_ring():
    timers = Timers()
    timers.set(Timeout.READ, "a", 1.0)
    timers.cancel(Timeout.READ, "a")
    assert not timers.is_set(Timeout.READ, "a")
    assert rung(timers, 9.0) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 10), st.booleans())))
def test_they_behave_like_a_dictionary_of_times(steps):
    timers, model = Timers(), {}
    for subject, at, cancel in steps:
        if cancel:
            timers.cancel(Timeout.RETRY, subject)
            model.pop(subject, None)
        else:
            timers.set(Timeout.RETRY, subject, at)
            model[subject] = at
        assert timers.next() == (min(model.values()) if model else None)
    assert sorted(rung(timers, 10.0)) == sorted(model)
