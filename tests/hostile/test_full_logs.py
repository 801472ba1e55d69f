"""worker-log-volume-full: services continue without logs, say so, and end on SIGTERM."""

from collections.abc import Callable

import pytest
from small_volumes import MountVolume

from hostile.full_logs import measure

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "seconds",
    [pytest.param(20, marks=pytest.mark.full), pytest.param(100, marks=pytest.mark.soak)],
)
async def test_worker_log_volume_full_loses_no_deal(
    seconds: float, record_property: Callable[[str, object], None], small_volume: MountVolume
) -> None:
    small_volume(1 << 20)  # Skips where no volume can be mounted.
    found = await measure(seconds, print)
    record_property("figure", found.line(seconds))
    assert not found.problems
