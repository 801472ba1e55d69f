"""Calls of the database, with its outages as refusals that tell the caller to come back."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from pymongo.errors import ConnectionFailure, WTimeoutError
from workerpool_kit.mongo import Database

from workerpool_result_proxy.errors import StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger()


class Mongo:
    """Runs synchronous calls of one database; `db` gives its collections."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.db = database.db

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call in the database's threads. Raises `StoreUnavailable` while there is no usable server."""
        try:
            return await self._database.run(fn, *args, **kwargs)
        except (ConnectionFailure, WTimeoutError) as outage:
            log.warning("mongo.unavailable", error=type(outage).__name__)
            raise StoreUnavailable("the database does not answer at the moment; try again later") from outage
