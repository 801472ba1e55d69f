"""Secret files: what .env says, else what is there, else a strong password; closed to other users of the host."""

import json
import os
import stat
from pathlib import Path

import pytest
from pool_env import __main__ as command
from pool_env.secret_files import POOL, WORKER, plan, read, strong_password, write
from worker_release.source import ROOT

KEY_STORE = json.dumps({"version": 3, "crypto": {}, "address": "00" * 20})


def test_passwords_are_generated_once_and_those_of_wallets_are_required() -> None:
    first = plan(POOL, {}, {})
    assert first.missing == [
        "PROD_CORE_WALLET_PASSWORD: set it in .env, or write it to the file core-wallet-password"
    ]
    assert set(first.files) == {each.file for each in POOL} - {"core-wallet-password"}
    assert len(set(first.files.values())) == len(first.files)
    held = first.files | {"core-wallet-password": "x"}
    assert plan(POOL, {}, held).files == {}


def test_a_value_of_the_env_file_overrides_a_file() -> None:
    planned = plan(POOL, {"PROD_MONGO_PASSWORD": "new"}, {"mongo-password": "old", "mongo-key": "k"})
    assert planned.files["mongo-password"] == "new"
    assert "mongo-key" not in planned.files
    assert plan(WORKER, {"PROD_WALLET_PASSWORD": "w"}, {}).files == {"worker-wallet-password": "w"}


def test_the_connection_strings_name_the_database_of_the_compose_file() -> None:
    uri = plan(POOL, {}, {}).files["mongo-uri-chain-adapter"]
    assert uri.startswith("mongodb://chain-adapter:")
    assert uri.endswith("@mongo:27017/?replicaSet=workerpool&authSource=admin")


def test_passwords_are_strong() -> None:
    made = {strong_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) >= 32 for each in made)


def test_the_folder_is_closed_and_its_files_are_readable_for_containers(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    umask = os.umask(0o077)
    try:
        write(folder, {"a": "1"})
        write(folder, {"a": "2", "b": "3"})
    finally:
        os.umask(umask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "a": 0o444,
        "b": 0o444,
    }
    assert read(folder, POOL) == {}
    assert (folder / "a").read_text() == "2"


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A folder with a .env that lacks nothing but its secrets."""
    example = (ROOT / ".env.example").read_text()
    (tmp_path / ".env.example").write_text(example)
    own = "PROD_POOL_ADDRESS=0x" + "a1" * 20 + "\nPROD_CORE_HOST=pool.operator.net\nCHAIN_LAST_BLOCK=7\n"
    (tmp_path / ".env").write_text(f"{example}\n{own}PROD_CORE_WALLET_PASSWORD=a-wallets-passphrase\n")
    (tmp_path / ".env").chmod(0o600)
    (tmp_path / "wallet.json").write_text(KEY_STORE)
    return tmp_path


def test_from_the_example_to_no_problem_in_two_commands(
    pool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--folder", str(pool)]
    assert command.main(["check", *folder]) == command.EXIT_PROBLEMS
    assert "run `make pool-secrets`" in capsys.readouterr().err
    assert command.main(["secrets", *folder]) == 0
    assert command.main(["check", *folder]) == 0
    assert "no problem found" in capsys.readouterr().out
    assert (pool / "secrets" / "core-wallet.json").read_text() == KEY_STORE
    before = {path: path.read_text() for path in (pool / "secrets").iterdir()}
    assert command.main(["secrets", *folder]) == 0
    assert {path: path.read_text() for path in (pool / "secrets").iterdir()} == before


def test_a_file_of_passwords_that_others_can_read_is_named(
    pool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main(["secrets", "--folder", str(pool)])
    (pool / ".env").chmod(0o644)
    assert command.main(["check", "--folder", str(pool)]) == command.EXIT_PROBLEMS
    assert "run chmod 600 .env" in capsys.readouterr().err


def test_a_wallet_that_is_none_is_named(pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pool / "wallet.json").write_text("no key store")
    assert command.main(["secrets", "--folder", str(pool)]) == command.EXIT_PROBLEMS
    assert "is no key store file" in capsys.readouterr().err


def test_the_part_of_a_worker(pool: Path) -> None:
    with (pool / ".env").open("a") as file:
        file.write("PROD_WALLET_PASSWORD=a-workers-passphrase\nWORKER_ALLOW_CLEARTEXT=true\n")
    folder = ["--worker", "--folder", str(pool)]
    assert command.main(["secrets", *folder]) == 0
    assert (pool / "deploy/worker/secrets/worker-wallet-password").read_text() == "a-workers-passphrase"
    assert command.main(["check", *folder]) == 0


def test_a_folder_without_a_file_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["check", "--folder", str(tmp_path)]) == command.EXIT_UNREADABLE
    assert "cp .env.example .env" in capsys.readouterr().err
