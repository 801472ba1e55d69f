"""Compute logs are deleted some days after the final deadline; an outage of the database only delays it."""

import asyncio

import pytest
from patience import PATIENCE_S
from workerpool_core.app.maintenance.log_purge import purge_logs_daily
from workerpool_kit.clock import FakeClock
from workerpool_kit.errors import DatabaseUnavailable

DAY_S = 86_400


class Logs:
    """A store of logs that is away at first."""

    def __init__(self, outages: int) -> None:
        self.outages = outages
        self.dates: list[float] = []
        self.purged = asyncio.Event()

    async def purge_logs(self, final_deadline_before: float) -> int:
        if self.outages:
            self.outages -= 1
            raise DatabaseUnavailable("no primary")
        self.dates.append(final_deadline_before)
        self.purged.set()
        return 1


@pytest.mark.parametrize("outages", [0, 2])
async def test_expired_logs_are_purged_at_the_start(outages: int) -> None:
    logs, clock = Logs(outages), FakeClock()
    purging = asyncio.create_task(purge_logs_daily(logs, clock, every_days=1, keep_days=3, retry_s=0.001))
    async with asyncio.timeout(PATIENCE_S):
        await logs.purged.wait()
    assert logs.dates == [clock.now() - 3 * DAY_S]
    assert not purging.done()
    purging.cancel()
