"""Processors that apps get for themselves."""

import pytest
from workerpool_worker.domain.containers.division import HostDivision, own_processors


@pytest.mark.parametrize(
    ("allowed", "slots", "processors"),
    [
        ({0, 1, 2, 3}, 3, ("3", "2", "1", "0")),
        ({4, 10}, 2, ("10", "4")),
        ({0, 1}, 3, ()),
        (set(), 1, ()),
    ],
)
def test_the_highest_processors_are_given_first_if_each_slot_can_have_one(
    allowed: set[int], slots: int, processors: tuple[str, ...]
) -> None:
    assert own_processors(allowed, slots) == processors


def test_a_host_is_undivided_by_default() -> None:
    assert HostDivision() == HostDivision("", (), (), None)
