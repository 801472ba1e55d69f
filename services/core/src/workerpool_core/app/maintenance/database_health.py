"""Does the database take writes? Asked all the time, so that health tells of an outage that no request has met yet.

While it is away nothing is acknowledged: reports, deals and commands wait in memory, and go on when it is back.
"""

import asyncio
from typing import Protocol

from workerpool_kit.errors import DatabaseAway
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger

log = get_logger()

COMPONENT = "database"
PERIOD_S = 1.0


class Answering(Protocol):
    """The database, as far as it can be asked whether it is there."""

    async def ping(self) -> None:
        """Return when a primary answers. Raises DatabaseAway."""


async def watch_database(database: Answering, health: Health, *, every_s: float = PERIOD_S) -> None:
    """Keep the health's component up to date, for ever."""
    up: bool | None = None
    while True:
        try:
            await database.ping()
        except DatabaseAway as error:
            health.set(COMPONENT, False, reason=error.message)
            if up is not False:
                log.warning("database.lost", error=error.message)
            up = False
        else:
            health.set(COMPONENT, True)
            if up is False:
                log.info("database.returned")
            up = True
        await asyncio.sleep(every_s)
