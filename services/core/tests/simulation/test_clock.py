"""Only callbacks advance the simulated time."""

from workerpool_core.simulation.clock import Clock


def test_callbacks_are_called_in_the_order_of_their_times(clock: Clock) -> None:
    start, calls = clock.now, []

    def note() -> None:
        calls.append(clock.now - start)

    for delay in (3.0, 1.0, -5.0):
        clock.later(delay, note)
    clock.run(start + 2)
    assert (calls, clock.now) == ([0.0, 1.0], start + 2)
    clock.run(start + 10)
    assert calls == [0.0, 1.0, 3.0]


def test_a_callback_can_schedule_another_one(clock: Clock) -> None:
    calls: list[str] = []
    clock.later(1.0, lambda: clock.at(0.0, lambda: calls.append("now")))
    clock.run(clock.now + 1)
    assert calls == ["now"]
