from pathlib import Path
from typing import Any

import pymongo
import pytest
from workerpool_devnet.errors import DatabaseError
from workerpool_devnet.processes.mongod import Database


def test_a_transaction_commits(mongod: Database, database_name: str) -> None:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongod.uri)
    with client:
        rooms = client[database_name].rooms
        with client.start_session() as session, session.start_transaction():
            rooms.insert_one({"_id": 1}, session=session)
        assert rooms.count_documents({}) == 1


def test_an_own_server_is_removed_with_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGO_URI", raising=False)
    folder = tmp_path / "server"
    with Database(log=tmp_path / "log", folder=folder) as database:
        assert database.process is not None
        assert folder.exists()
    assert not database.process.running
    assert not folder.exists()


def test_an_external_server_loses_only_our_databases(
    mongod: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGO_URI", mongod.uri)
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongod.uri)
    with Database() as database, client:
        assert database.process is None
        name = database.new_name("core")
        client[name].rooms.insert_one({})
        assert name in client.list_database_names()
        database.stop()
        assert name not in client.list_database_names()


def test_a_server_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URI", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200")
    with pytest.raises(DatabaseError, match="does not answer"):
        Database().start()


def test_a_missing_system_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing_library() -> Path:
        script = tmp_path / "mongod"
        script.write_text(
            "#!/bin/sh\necho 'mongod: error while loading shared libraries: libcurl.so.4'\nexit 127\n"
        )
        script.chmod(0o755)
        return script

    monkeypatch.delenv("MONGO_URI", raising=False)
    monkeypatch.setenv("PATH", str(missing_library().parent))
    with pytest.raises(DatabaseError, match="apt-get install libcurl4"):
        Database(folder=tmp_path / "server").start()
