"""Messages arrive in order until the stream is cut."""

from random import Random

from workerpool_core.simulation.clock import Clock
from workerpool_core.simulation.link import Link


def test_messages_of_one_direction_arrive_in_order(clock: Clock) -> None:
    arrived: list[int] = []
    link = Link(clock, Random(1), "session")
    for number in range(50):
        link.carry("up", lambda number=number: arrived.append(number))  # type: ignore[misc]
    clock.run(clock.now + 60)
    assert arrived == list(range(50))


def test_messages_in_flight_are_lost_when_the_stream_is_cut(clock: Clock) -> None:
    arrived: list[str] = []
    link = Link(clock, Random(1), "session")
    link.carry("down", lambda: arrived.append("message"))
    link.open = False
    clock.run(clock.now + 60)
    assert arrived == []
