"""The database connection against a real replica set, and what an operator reads when it cannot be made."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import mongoengine
import pymongo
import pytest
from workerpool_devnet.processes.mongod import mongod_binary
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.errors import DatabaseAway, Kind
from workerpool_kit.mongo import Database
from workerpool_kit.process import StartupError
from workerpool_kit.settings.base import MongoSettings, Settings
from workerpool_kit.settings.environment import load


class KitSettings(MongoSettings, Settings):
    pass


class Note(mongoengine.Document):
    name = mongoengine.StringField(required=True)
    meta = {"collection": "notes", "indexes": [{"fields": ["name"], "unique": True}]}  # noqa: RUF012


def settings_for(uri: str, name: str = "test") -> KitSettings:
    return load(KitSettings, {"MONGO_URI": uri, "MONGO_DATABASE": name})


@pytest.fixture
async def database(mongod: Any, database_name: str) -> AsyncIterator[Database]:
    database = await Database.connect(settings_for(mongod.uri, database_name), models=[Note])
    yield database
    await database.close()


async def test_models_are_stored_in_the_services_database(database: Database, database_name: str) -> None:
    await database.run(Note(name="a").save)
    assert await database.run(database.db["notes"].count_documents, {"name": "a"}) == 1
    assert database.db.name == database_name


async def test_the_indexes_of_the_models_exist(database: Database) -> None:
    await database.run(Note(name="a").save)
    with pytest.raises(mongoengine.NotUniqueError):
        await database.run(Note(name="a").save)


async def test_writes_wait_for_majority_and_journal(database: Database) -> None:
    assert database.client.write_concern.document == {"w": "majority", "j": True}
    assert database.client.read_concern.level == "majority"


async def test_gridfs_keeps_files(database: Database) -> None:
    bucket = database.gridfs("archives")
    file_id = await database.run(bucket.upload_from_stream, "a", b"content")
    stream = await database.run(bucket.open_download_stream, file_id)
    assert await database.run(stream.read) == b"content"


async def test_it_can_be_opened_again_after_close(mongod: Any, database_name: str) -> None:
    for name in ("a", "b"):
        database = await Database.connect(settings_for(mongod.uri, database_name), models=[Note])
        await database.run(Note(name=name).save)
        await database.close()
    with pymongo.MongoClient(mongod.uri) as client:
        assert client[database_name]["notes"].count_documents({}) == 2


async def test_a_model_of_another_service_may_have_the_same_name(mongod: Any, database_name: str) -> None:
    def another() -> type[mongoengine.Document]:
        class Note(mongoengine.Document):
            name = mongoengine.StringField(required=True)
            meta = {"collection": "other"}  # noqa: RUF012

        return Note

    for model in (Note, another(), Note):
        database = await Database.connect(settings_for(mongod.uri, database_name), models=[model])
        await database.run(model(name=str(id(database))).save)
        await database.close()


async def test_a_caller_is_told_to_ask_again_while_the_database_is_away(database: Database) -> None:
    def fails() -> None:
        raise pymongo.errors.NotPrimaryError("an election")

    with pytest.raises(DatabaseAway) as refused:
        await database.ask(fails)
    assert refused.value.kind is Kind.UNAVAILABLE
    assert await database.ask(database.db["notes"].count_documents, {}) == 0


@pytest.mark.parametrize(
    "refusal",
    [
        pymongo.errors.OperationFailure("interrupted due to a change of the replica set's state", 11602),
        pymongo.errors.WriteConcernError("primary stepped down while waiting for replication", 189),
        pymongo.errors.WTimeoutError("no majority in time", 64),
        pymongo.errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
        pymongo.errors.BulkWriteError({"writeErrors": [{"code": 189}], "writeConcernErrors": []}),
    ],
    ids=["interrupted", "write-concern", "timeout", "bulk-concern", "bulk-error"],
)
async def test_a_primary_that_steps_down_is_an_outage_in_whatever_words(
    database: Database, refusal: Exception
) -> None:
    def by_pymongo() -> None:
        raise refusal

    def by_mongoengine() -> None:
        try:
            by_pymongo()
        except pymongo.errors.OperationFailure as error:
            raise mongoengine.OperationError(f"Could not save document ({error})")  # noqa: B904

    for way in (by_pymongo, by_mongoengine):
        with pytest.raises(DatabaseAway):
            await database.ask(way)
        with pytest.raises(pymongo.errors.AutoReconnect):
            await database.run(way)


async def test_a_refusal_by_the_database_stays_what_it_is(database: Database) -> None:
    await database.run(Note(name="a").save)
    with pytest.raises(mongoengine.NotUniqueError):
        await database.ask(Note(name="a").save)
    with pytest.raises(pymongo.errors.BulkWriteError):
        await database.ask(database.db["notes"].insert_many, [{"name": "a"}])
    with pytest.raises(pymongo.errors.OperationFailure, match="unknown operator"):
        await database.ask(database.db["notes"].count_documents, {"name": {"$nonsense": 1}})


class TestRefusals:
    async def test_an_unreachable_server_is_named_without_credentials(self) -> None:
        port = free_port()
        with pytest.raises(StartupError) as refused:
            await Database.connect(settings_for(f"mongodb://user:s3cret@127.0.0.1:{port}/"), patience_s=0.1)
        assert f"cannot reach MongoDB at 127.0.0.1:{port}" in str(refused.value)
        assert "s3cret" not in str(refused.value)

    async def test_the_wait_for_a_server_can_be_interrupted(self) -> None:
        waiting = asyncio.create_task(Database.connect(settings_for(f"mongodb://127.0.0.1:{free_port()}/")))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 3)

    async def test_an_unusable_uri_is_not_repeated(self) -> None:
        with pytest.raises(StartupError, match="MONGO_URI is not a usable") as refused:
            await Database.connect(settings_for("mongodb://user:s3cret@@host:x"))
        assert "s3cret" not in str(refused.value)

    @pytest.mark.parametrize(
        ("options", "credentials", "words"),
        [
            ((), "", "is not a replica set"),
            (("--replSet", "rs0"), "", "nobody has initiated"),
            (("--auth",), "user:s3cret@", "refuses the credentials of MONGO_URI"),
        ],
    )
    async def test_a_server_that_cannot_be_used(
        self, tmp_path: Path, options: tuple[str, ...], credentials: str, words: str
    ) -> None:
        port = free_port()
        command = [
            str(mongod_binary()),
            "--dbpath",
            str(tmp_path),
            "--port",
            str(port),
            "--bind_ip",
            "127.0.0.1",
        ]
        with subprocess.Popen(  # noqa: ASYNC220
            [*command, "--nounixsocket", *options], stdout=subprocess.DEVNULL
        ) as server:
            try:
                settings = settings_for(f"mongodb://{credentials}127.0.0.1:{port}/")
                with pytest.raises(StartupError, match=words) as refused:
                    await Database.connect(settings, patience_s=4 if "--replSet" in options else 15)
                assert "s3cret" not in str(refused.value)
            finally:
                server.kill()
