"""Passwords and wallets of a new pool, on real files."""

from pathlib import Path

import pytest
from poolctl.adapters.setup.files import PoolFiles
from poolctl.domain.setup.plan import CORE_WALLET, PASSWORDS, WORKER_WALLET
from poolctl.errors import CommandFailed


@pytest.fixture
def files(tmp_path: Path) -> PoolFiles:
    found = PoolFiles(tmp_path / "pool")
    found.prepare()
    return found


def test_passwords_are_random_and_their_owners_only(files: PoolFiles) -> None:
    for name in PASSWORDS:
        files.create_password(name)
    paths = [files.folder / "secrets" / name for name in PASSWORDS]
    assert len({path.read_text() for path in paths}) == len(PASSWORDS)
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert files.passwords() == set(PASSWORDS)


def test_a_password_of_the_operator_is_taken_over(files: PoolFiles, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a password of mine\r\n")
    files.create_password("core-wallet-password", tmp_path / "mine")
    assert (files.folder / "secrets/core-wallet-password").read_text() == "a password of mine\n"


def test_a_wallet_is_opened_with_its_password_file(files: PoolFiles) -> None:
    files.create_password("worker-wallet-password")
    address = files.create_wallet(WORKER_WALLET)
    assert files.open_wallet(WORKER_WALLET).address == address
    assert files.wallets() == {WORKER_WALLET}
    assert (files.folder / WORKER_WALLET).stat().st_mode & 0o777 == 0o600


def test_a_wrong_password_names_the_file_to_correct(files: PoolFiles) -> None:
    files.create_password("core-wallet-password")
    files.create_wallet(CORE_WALLET)
    files.create_password("core-wallet-password")
    with pytest.raises(CommandFailed) as failed:
        files.open_wallet(CORE_WALLET)
    assert "secrets/core-wallet-password" in failed.value.next_step


def test_an_empty_password_file_is_refused(files: PoolFiles, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(CommandFailed, match="is empty"):
        files.create_password("core-wallet-password", tmp_path / "empty")


def test_env_is_written_for_its_owner_only(files: PoolFiles) -> None:
    assert files.env_text() == ""
    files.write_env("A=1\n")
    assert files.env_text() == "A=1\n"
    assert (files.folder / ".env").stat().st_mode & 0o777 == 0o600
