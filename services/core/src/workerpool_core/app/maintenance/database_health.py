"""Probes the database, so that health reports an outage before a request fails on it.

During an outage core acknowledges nothing: reports, deals and commands wait in memory until the database is back.
"""

import asyncio

from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger

from workerpool_core.app.ports import DatabaseProbe

log = get_logger()

COMPONENT = "database"
PERIOD_S = 1.0


async def watch_database(database: DatabaseProbe, health: Health, *, every_s: float = PERIOD_S) -> None:
    """Set the health component `database` every `every_s` seconds, until cancelled."""
    up: bool | None = None
    while True:
        try:
            await database.ping()
        except DatabaseUnavailable as error:
            health.set(COMPONENT, False, reason=error.message)
            if up is not False:
                log.warning("database.lost", error=error.message)
            up = False
        else:
            health.set(COMPONENT, True)
            if up is False:
                log.info("database.recovered")
            up = True
        await asyncio.sleep(every_s)
