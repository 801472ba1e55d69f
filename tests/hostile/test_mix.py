"""Five minutes of `make hostile` for a shared machine; the hour, with the entries that load it, is in `make soak`."""

from collections.abc import Callable

import pytest

from hostile.run import Plan, run

pytestmark = pytest.mark.e2e

SEED = 10


@pytest.mark.parametrize(
    "seconds",
    [pytest.param(300, marks=pytest.mark.full), pytest.param(3600, marks=pytest.mark.soak)],
)
async def test_honest_deals_complete_in_time_beside_hostile_ones(
    seconds: float, record_property: Callable[[str, object], None]
) -> None:
    report = await run(Plan(seed=SEED, seconds=seconds, shared_machine=seconds < 3600), print)
    record_property("figure", report.summary())
    assert report.passed, "\n".join(report.lines())
