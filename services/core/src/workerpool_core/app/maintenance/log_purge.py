"""The purge of compute logs some days after the final deadline of their task."""

import asyncio

from workerpool_kit.clock import Clock
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry

from workerpool_core.app.ports import LogRepository

log = get_logger()

_DAY_S = 86_400.0
RETRY_S = 60.0


async def purge_logs_daily(
    store: LogRepository, clock: Clock, *, every_days: int, keep_days: int, retry_s: float = RETRY_S
) -> None:
    """Purge now and every `every_days` days; retry after `retry_s` seconds while the database is down."""
    while True:
        purged = await retry(
            lambda: store.purge_logs(clock.now() - keep_days * _DAY_S),
            what="purge compute logs",
            on=DatabaseUnavailable,
            backoff=Backoff(retry_s, retry_s),
        )
        log.info("logs.purged", replicates=purged, keep_days=keep_days)
        await asyncio.sleep(every_days * _DAY_S)
