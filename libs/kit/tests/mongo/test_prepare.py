"""A new MongoDB server with authentication, as compose starts it, is prepared for a pool."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE_S
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure, ServerSelectionTimeoutError
from workerpool_devnet.processes.mongod import mongod_binary
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_kit.mongo import prepare
from workerpool_kit.mongo.prepare import Account, NotPrepared, Server

ADMIN = Account("admin", "a-long-passphrase", "admin")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Run a server that admits nothing without a login, without a replica set and without users."""
    key = tmp_path / "key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o400)
    (tmp_path / "data").mkdir()
    port = free_port()
    command = [
        *(
            str(mongod_binary()),
            "--dbpath",
            str(tmp_path / "data"),
            "--port",
            str(port),
            "--bind_ip",
            "127.0.0.1",
        ),
        *("--replSet", "workerpool", "--keyFile", str(key), "--nounixsocket", "--quiet"),
        *("--oplogSize", "64", "--wiredTigerCacheSizeGB", "0.25"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    ]
    process = ManagedProcess("mongod", command, log=tmp_path / "log", env={"PATH": os.environ["PATH"]})
    process.start()
    yield Server(f"127.0.0.1:{port}", f"127.0.0.1:{port}", "workerpool")
    process.kill()


def connected(server: Server, account: Account) -> "MongoClient[dict[str, str]]":
    return MongoClient(
        server.address, username=account.name, password=account.password, directConnection=True
    )


def test_each_service_reads_and_writes_its_own_database_only(server: Server) -> None:
    core, sms = Account("core", "p@ss:word/1", "iexec"), Account("sms", "another-one", "sms")
    prepare.prepare(server, ADMIN, [core, sms], limit_s=PATIENCE_S)
    with connected(server, core) as client:
        client["iexec"]["task"].insert_one({"_id": "a"})
        assert client["iexec"].command("dbStats")["objects"] == 1
        for refused in (client["sms"]["secret"].find_one, lambda: client["sms"]["secret"].insert_one({})):
            with pytest.raises(OperationFailure, match="not authorized"):
                refused()
    stranger: MongoClient[dict[str, str]] = MongoClient(server.address, directConnection=True)
    with stranger, pytest.raises(OperationFailure, match="requires authentication"):
        stranger["iexec"]["task"].find_one()


def test_a_server_that_cuts_connections_while_it_starts_is_asked_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = [AutoReconnect("connection closed"), ServerSelectionTimeoutError("no answer within 3 s")]
    logs_in = prepare._logs_in

    def busy(server: Server, account: Account) -> bool:
        if cut:
            raise cut.pop()
        return logs_in(server, account)

    monkeypatch.setattr(prepare, "_logs_in", busy)
    core = Account("core", "a-long-passphrase", "iexec")
    prepare.prepare(server, ADMIN, [core], limit_s=PATIENCE_S)
    with connected(server, core) as client:
        assert client["iexec"]["task"].find_one() is None


def test_a_server_that_keeps_cutting_connections_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(server: Server, account: Account) -> bool:
        raise AutoReconnect("connection closed")

    prepare.prepare(server, ADMIN, [], limit_s=PATIENCE_S)
    monkeypatch.setattr(prepare, "_logs_in", dead)
    with pytest.raises(AutoReconnect):
        prepare.prepare(server, ADMIN, [], limit_s=0.5)


def test_a_prepared_server_takes_new_passwords_of_services_and_keeps_the_rest(server: Server) -> None:
    prepare.prepare(server, ADMIN, [Account("core", "first", "iexec")], limit_s=PATIENCE_S)
    with connected(server, Account("core", "first", "iexec")) as client:
        client["iexec"]["task"].insert_one({"_id": "a"})
    prepare.prepare(server, ADMIN, [Account("core", "second", "iexec")], limit_s=PATIENCE_S)
    with connected(server, Account("core", "second", "iexec")) as client:
        assert client["iexec"]["task"].find_one() == {"_id": "a"}
    with connected(server, Account("core", "first", "iexec")) as client, pytest.raises(OperationFailure):
        client["iexec"]["task"].find_one()


def test_another_password_of_the_administrator_is_refused_with_the_next_step(server: Server) -> None:
    prepare.prepare(server, ADMIN, [], limit_s=PATIENCE_S)
    with pytest.raises(NotPrepared, match="set the password of its first start"):
        prepare.prepare(server, Account("admin", "mistyped", "admin"), [], limit_s=PATIENCE_S)


def test_the_command_reads_secrets_from_files(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "admin").write_text(f"{ADMIN.password}\n")
    (tmp_path / "uri").write_text("mongodb://core:p%40ss@mongo:27017/?replicaSet=workerpool\n")
    arguments = ["--address", server.address, "--member", server.member]
    arguments += ["--admin-password-file", str(tmp_path / "admin"), f"iexec={tmp_path / 'uri'}"]
    assert prepare.main(arguments) == 0
    assert capsys.readouterr().out == "MongoDB is ready for iexec\n"
    with connected(server, Account("core", "p@ss", "iexec")) as client:
        client["iexec"]["task"].insert_one({"_id": "a"})


def test_a_server_that_does_not_answer_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "admin").write_text("secret-word")
    arguments = ["--address", f"127.0.0.1:{free_port()}", "--member", "mongo:27017", "--limit", "0.1"]
    assert prepare.main([*arguments, "--admin-password-file", str(tmp_path / "admin")]) == 1
    told = capsys.readouterr().err
    assert "does not answer" in told
    assert "secret-word" not in told


@pytest.mark.parametrize(
    ("content", "argument"), [("", "iexec={file}"), ("mongodb://mongo/", "iexec={file}"), ("x", "iexec")]
)
def test_unusable_accounts_are_refused(tmp_path: Path, content: str, argument: str) -> None:
    file = tmp_path / "uri"
    file.write_text(content)
    arguments = ["--member", "mongo:27017", "--admin-password-file", str(file)]
    assert prepare.main([*arguments, argument.format(file=file)]) == 1
