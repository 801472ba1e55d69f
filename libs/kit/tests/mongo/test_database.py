"""The database of a service, against a real replica set."""

import asyncio
import shutil
from pathlib import Path

import mongoengine
import pymongo
import pytest
from patience import PATIENCE_S
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.errors import DatabaseUnavailable, Kind
from workerpool_kit.mongo.database import Database

from .notes import Note, settings_for


async def test_models_are_stored_in_the_database_of_the_service(
    database: Database, database_name: str
) -> None:
    await database.run(Note(name="a").save)
    assert await database.run(database.db["notes"].count_documents, {"name": "a"}) == 1
    assert database.db.name == database_name


async def test_indexes_of_the_models_are_created(database: Database) -> None:
    await database.run(Note(name="a").save)
    with pytest.raises(mongoengine.NotUniqueError):
        await database.run(Note(name="a").save)


async def test_writes_wait_for_a_majority_and_its_journals(database: Database) -> None:
    assert database.client.write_concern.document == {"w": "majority", "j": True}
    assert database.client.read_concern.level == "majority"


async def test_free_bytes_are_those_of_the_server_s_disk_and_asked_for_at_times(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = await database.free_bytes()
    # The server of the tests runs on this host.
    assert free is not None
    assert 0 < free <= shutil.disk_usage(tmp_path).total
    answers = iter([{"fsTotalSize": 100.0, "fsUsedSize": 40.0}, {}])
    monkeypatch.setattr(type(database.db), "command", lambda *_: next(answers))
    assert await database.free_bytes() == free, "an answer holds for 2 s"
    for expected in (60, None):
        database._free = (float("-inf"), None)
        assert await database.free_bytes() == expected


async def test_database_can_be_reopened_after_close(mongod: Mongod, database_name: str) -> None:
    for name in ("a", "b"):
        database = await Database.connect(settings_for(mongod.uri, database_name), models=[Note])
        await database.run(Note(name=name).save)
        await database.close()
    client: pymongo.MongoClient[dict[str, object]]
    with pymongo.MongoClient(mongod.uri) as client:
        assert client[database_name]["notes"].count_documents({}) == 2


async def test_a_cancelled_wait_for_the_indexes_closes_the_database(
    mongod: Mongod, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise pymongo.errors.OperationFailure("not authorized", 13)

    waited, closed = asyncio.Event(), asyncio.Event()
    close = Database.close

    async def noticed_close(database: Database) -> None:
        await close(database)
        closed.set()

    monkeypatch.setattr(Note, "ensure_indexes", refuse)
    monkeypatch.setattr(Database, "close", noticed_close)
    settings = settings_for(mongod.uri, database_name)
    starting = asyncio.create_task(
        Database.connect(settings, models=[Note], waits=lambda reason: waited.set())
    )
    await asyncio.wait_for(waited.wait(), PATIENCE_S)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert closed.is_set()


async def test_two_services_may_have_models_of_one_name(mongod: Mongod, database_name: str) -> None:
    def another() -> type[mongoengine.Document]:
        class Note(mongoengine.Document):  # type: ignore[misc]
            name = mongoengine.StringField(required=True)
            meta = {"collection": "other"}  # noqa: RUF012

        return Note

    for model in (Note, another(), Note):
        database = await Database.connect(settings_for(mongod.uri, database_name), models=[model])
        await database.run(model(name=str(id(database))).save)
        await database.close()


async def test_run_once_asks_the_caller_to_retry_during_an_outage(database: Database) -> None:
    def fails() -> None:
        raise pymongo.errors.NotPrimaryError("an election")

    with pytest.raises(DatabaseUnavailable) as refused:
        await database.run_once(fails)
    assert refused.value.kind is Kind.UNAVAILABLE
    assert await database.run_once(database.db["notes"].count_documents, {}) == 0


async def test_refusal_by_the_database_is_raised_unchanged(database: Database) -> None:
    await database.run(Note(name="a").save)
    with pytest.raises(mongoengine.NotUniqueError):
        await database.run_once(Note(name="a").save)
    with pytest.raises(pymongo.errors.BulkWriteError):
        await database.run_once(database.db["notes"].insert_many, [{"name": "a"}])
    with pytest.raises(pymongo.errors.OperationFailure, match="unknown operator"):
        await database.run_once(database.db["notes"].count_documents, {"name": {"$nonsense": 1}})
