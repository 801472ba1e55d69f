"""Migrations of a service's database: the number of its schema, and the steps from one number to the next.

The collection `schema` holds one document: `version`, and `oldest_reader`, the oldest version whose programs still work
with the data. So a rollback either works or is refused with a next step; it never misreads.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database as PyMongoDatabase

from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError

log = get_logger()

FIRST_VERSION = 1
"""The schema of release 0.1.0, which stored no number."""
COLLECTION = "schema"
_ID = "schema"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a schema.

    A crash may repeat `apply`, and two processes of a service may run it at once, so it must be idempotent. Programs of
    schema `oldest_reader` and newer can work with the result: the version before it if a rollback is possible, else
    `version`.
    """

    version: int
    summary: str
    """What changes, for the log."""
    apply: Callable[[PyMongoDatabase[Any]], None]
    oldest_reader: int


class NewerSchema(StartupError):
    """The database was migrated by a newer version, whose data this one would misread."""


def migrate(database: PyMongoDatabase[Any], migrations: Sequence[Migration]) -> None:
    """Apply the migrations that a database lacks, oldest first. Raises NewerSchema.

    A new database gets the newest version at once. `migrations` are numbered from FIRST_VERSION + 1 without a gap.
    """
    assert [each.version for each in migrations] == [
        FIRST_VERSION + place for place, _ in enumerate(migrations, 1)
    ]
    newest = FIRST_VERSION + len(migrations)
    held = database[COLLECTION].find_one({"_id": _ID})
    if held is None:
        version = FIRST_VERSION if _has_data(database) else newest
        oldest_reader = migrations[-1].oldest_reader if migrations and version == newest else FIRST_VERSION
        _record(database, version, oldest_reader)
    else:
        version = int(held["version"])
        if newest < held["oldest_reader"]:
            raise NewerSchema(
                f"the database {database.name} has schema {version}, made by a newer version of this program; this one "
                f"reads schema {newest}: start the newer version, or restore the backup made before the upgrade"
            )
    for each in migrations:
        if each.version > version:
            started = time.monotonic()
            each.apply(database)
            _record(database, each.version, each.oldest_reader)
            log.info(
                "schema.migrated",
                database=database.name,
                version=each.version,
                change=each.summary,
                seconds=round(time.monotonic() - started, 3),
            )


def _has_data(database: PyMongoDatabase[Any]) -> bool:
    return any(not name.startswith("system.") for name in database.list_collection_names())


def _record(database: PyMongoDatabase[Any], version: int, oldest_reader: int) -> None:
    # Numbers only rise, so that a slower process of an older version takes nothing back.
    change = {
        "$max": {"version": version, "oldest_reader": oldest_reader},
        "$set": {"changed_at": time.time()},
    }
    database[COLLECTION].update_one({"_id": _ID}, change, upsert=True)
