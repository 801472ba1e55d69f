"""Migrations of a database, against a real replica set: new, old, half done, newer, and rolled back."""

from collections.abc import Sequence
from typing import Any

import pymongo
import pytest
from pymongo.database import Database as PyMongoDatabase
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.mongo.database import Database
from workerpool_kit.mongo.migrations import FIRST_VERSION, Migration, NewerSchema

from .notes import Note, settings_for

Stored = PyMongoDatabase[dict[str, Any]]


def rename(database: Stored) -> None:
    database["notes"].update_many({"text": {"$exists": True}}, {"$rename": {"text": "name"}})


def count(database: Stored) -> None:
    database["counts"].update_one(
        {"_id": "notes"}, {"$set": {"count": database["notes"].count_documents({})}}, upsert=True
    )


RENAMED = Migration(2, "the text of a note is its name", rename, oldest_reader=2)
COUNTED = Migration(3, "notes are counted", count, oldest_reader=2)


@pytest.fixture
def stored(mongod: Mongod, database_name: str) -> Any:
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        yield client[database_name]


async def opened(mongod: Mongod, name: str, migrations: Sequence[Migration]) -> None:
    database = await Database.connect(settings_for(mongod.uri, name), models=[Note], migrations=migrations)
    await database.close()


def schema(stored: Stored) -> tuple[int, int]:
    (found,) = stored["schema"].find()
    return found["version"], found["oldest_reader"]


async def test_a_new_database_has_the_newest_schema_without_a_migration(
    mongod: Mongod, database_name: str, stored: Stored
) -> None:
    await opened(mongod, database_name, [RENAMED, COUNTED])
    assert schema(stored) == (3, 2)
    assert stored["counts"].count_documents({}) == 0


async def test_a_database_without_a_number_gets_every_migration_before_its_indexes(
    mongod: Mongod, database_name: str, stored: Stored
) -> None:
    stored["notes"].insert_many([{"text": "a"}, {"text": "b"}])
    await opened(mongod, database_name, [RENAMED, COUNTED])
    assert sorted(each["name"] for each in stored["notes"].find()) == ["a", "b"]
    assert stored["counts"].find_one({"_id": "notes"}) == {"_id": "notes", "count": 2}
    assert schema(stored) == (3, 2)


async def test_only_the_missing_migrations_are_applied(
    mongod: Mongod, database_name: str, stored: Stored
) -> None:
    stored["notes"].insert_one({"text": "a"})
    await opened(mongod, database_name, [RENAMED])
    stored["notes"].insert_one({"name": "b", "text": "written since"})
    await opened(mongod, database_name, [RENAMED, COUNTED])
    assert stored["notes"].count_documents({"text": "written since"}) == 1
    assert schema(stored) == (3, 2)


async def test_a_migration_that_failed_is_repeated_by_the_next_start(
    mongod: Mongod, database_name: str, stored: Stored
) -> None:
    def dies(database: Stored) -> None:
        rename(database)
        raise RuntimeError("power loss")

    stored["notes"].insert_one({"text": "a"})
    with pytest.raises(RuntimeError, match="power loss"):
        await opened(mongod, database_name, [Migration(2, "dies", dies, oldest_reader=2)])
    assert schema(stored)[0] == FIRST_VERSION
    await opened(mongod, database_name, [RENAMED])
    assert [each["name"] for each in stored["notes"].find()] == ["a"]
    assert schema(stored) == (2, 2)


async def test_a_version_that_would_misread_the_data_refuses_to_start(
    mongod: Mongod, database_name: str, stored: Stored
) -> None:
    stored["notes"].insert_one({"text": "a"})
    await opened(mongod, database_name, [RENAMED])
    with pytest.raises(NewerSchema, match=r"has schema 2.*reads schema 1.*restore the backup"):
        await opened(mongod, database_name, [])
    assert schema(stored) == (2, 2)


async def test_a_rollback_to_a_version_that_can_read_the_data_works(
    mongod: Mongod, database_name: str, stored: Stored
) -> None:
    stored["notes"].insert_one({"text": "a"})
    await opened(mongod, database_name, [RENAMED, COUNTED])
    await opened(mongod, database_name, [RENAMED])
    assert schema(stored) == (3, 2)
    await opened(mongod, database_name, [RENAMED, COUNTED])
    assert schema(stored) == (3, 2)
