"""Single tasks wait at most twice their quiet time beside a big bag of another requester."""

from collections.abc import Callable

import pytest

from hostile.fairness import measure

pytestmark = pytest.mark.e2e


@pytest.mark.full
async def test_single_tasks_pass_a_bag_of_another_requester(
    record_property: Callable[[str, object], None],
) -> None:
    """Without turns a single task would wait for most of the bag. The machine may get slower after the quiet time."""
    fairness = await measure(150, print)
    record_property("figure", fairness.line())
    assert fairness.typical_s < max(fairness.limit_s, fairness.bag_s / 5), fairness.line()


@pytest.mark.soak
async def test_no_single_task_waits_for_a_bag_of_another_requester(
    record_property: Callable[[str, object], None],
) -> None:
    fairness = await measure(1000, print)
    record_property("figure", fairness.line())
    assert not fairness.late, fairness.line()
