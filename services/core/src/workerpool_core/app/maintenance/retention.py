"""Removes ended tasks some time after their final deadline."""

import asyncio
from functools import partial

from workerpool_kit.clock import Clock
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry

from workerpool_core.app.ports import EndedTasks
from workerpool_core.domain.policy import Policy

log = get_logger()

_EVERY_S = 3_600.0
RETRY_S = 60.0


async def remove_ended_tasks_hourly(
    store: EndedTasks, policy: Policy, clock: Clock, *, retention_s: float, retry_s: float = RETRY_S
) -> None:
    """Remove what is due now and every hour; retry after `retry_s` seconds while the database is down."""
    while True:
        before, removed = clock.now() - retention_s, 0
        while count := await retry(
            partial(store.remove_ended_tasks, policy, before),
            what="remove ended tasks",
            on=DatabaseUnavailable,
            backoff=Backoff(retry_s, retry_s),
        ):
            removed += count
        if removed:
            log.info("tasks.removed", tasks=removed, retention_s=retention_s)
        await asyncio.sleep(_EVERY_S)
