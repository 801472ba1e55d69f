"""Deletes compute logs some days after their task's final deadline, on the documented schedule."""

import asyncio
from typing import Protocol

from workerpool_kit.clock import Clock
from workerpool_kit.errors import DatabaseAway
from workerpool_kit.logs import get_logger

log = get_logger()

_DAY_S = 86_400.0
RETRY_S = 60.0


class LogStore(Protocol):
    """What the purge needs of the store."""

    async def purge_logs(self, final_deadline_before: float) -> int:
        """Delete the logs of tasks whose final deadline lies before a date; return how many. Raises DatabaseAway."""


async def purge_logs_daily(
    store: LogStore, clock: Clock, *, every_days: int, keep_days: int, retry_s: float = RETRY_S
) -> None:
    """Purge now and then again every `every_days` days, for ever; soon again when the database was away."""
    while True:
        try:
            purged = await store.purge_logs(clock.now() - keep_days * _DAY_S)
        except DatabaseAway as error:
            log.warning("logs.not_purged", error=error.message)
            await asyncio.sleep(retry_s)
            continue
        log.info("logs.purged", replicates=purged, keep_days=keep_days)
        await asyncio.sleep(every_days * _DAY_S)
