"""Every followed block is searched again when its nodes have caught up."""

from workerpool_core.app.chain.second_search import SecondSearch
from workerpool_core.app.ports import Cursor
from workerpool_poco.protocol.contracts.events import LogPosition, SchedulerNotice
from workerpool_poco.protocol.ids import DealId, address

POOL = address("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")


def at(number: int) -> Cursor:
    return Cursor(number, f"0x{number:064x}")


def event(number: int) -> SchedulerNotice:
    return SchedulerNotice(POOL, DealId("0x1"), LogPosition(number, number.to_bytes(32), bytes(32), 0, POOL))


class Searched:
    """A second search that starts at block 0, and its time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.second = SecondSearch(at(0), at(0), lambda: self.now)


def test_nothing_is_due_without_blocks() -> None:
    searched = Searched()
    searched.now = 1_000
    assert searched.second.due_in() is None
    assert searched.second.due() == at(0)


def test_blocks_are_due_together_when_the_oldest_is_twenty_seconds_old() -> None:
    searched = Searched()
    for second in range(1, 10):
        searched.now = float(second)
        searched.second.followed(at(second), [])
    assert searched.second.due_in() == 12
    searched.now = 21
    assert (searched.second.due_in(), searched.second.due()) == (0, at(9))
    searched.second.searched_to(at(9))
    assert searched.second.due_in() is None


def test_it_tells_events_that_are_new_from_events_that_are_gone() -> None:
    searched = Searched()
    searched.second.followed(at(5), [event(2), event(4)])
    assert searched.second.missed([event(2), event(3)]) == [event(3)]
    assert searched.second.gone([event(2)], last=5) == [event(4)]
    assert searched.second.gone([event(2)], last=3) == []


def test_a_revert_forgets_what_was_above_the_ancestor() -> None:
    searched = Searched()
    searched.second.followed(at(5), [event(2), event(4)])
    searched.second.searched_to(at(3))
    searched.second.reverted(at(1))
    assert searched.second.searched == at(1)
    assert searched.second.due_in() is None
