"""`poolworker wallet` and the commands that need nothing but themselves."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner
from workerpool_poco.chain.wallet import Wallet
from workerpool_worker.cli.app import app
from workerpool_worker.cli.wallet import create, show
from workerpool_worker.errors import CommandRefused

PASSWORD = "correct horse"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IEXEC_WORKER_WALLET_PATH", str(tmp_path / "wallets" / "worker.json"))
    monkeypatch.setenv("IEXEC_WORKER_WALLET_PASSWORD", PASSWORD)
    return tmp_path / "wallets" / "worker.json"


def test_a_new_wallet_opens_with_its_password_and_is_readable_by_its_owner_only(path: Path) -> None:
    made = CliRunner().invoke(app, ["wallet", "create"])
    assert made.exit_code == 0, made.output
    assert Wallet.from_keystore(path, PASSWORD).address in made.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = CliRunner().invoke(app, ["wallet", "show"])
    assert (shown.exit_code, shown.output.strip()) == (0, made.output.split()[0])


def test_an_existing_file_is_not_overwritten(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("precious")
    made = CliRunner().invoke(app, ["wallet", "create"])
    assert made.exit_code == 1
    assert path.read_text() == "precious"


def test_a_short_password_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IEXEC_WORKER_WALLET_PASSWORD", "short")
    assert CliRunner().invoke(app, ["wallet", "create"]).exit_code == 1
    assert not path.exists()


def test_a_wrong_password_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    Wallet.create().write_keystore(path, PASSWORD, light=True)
    monkeypatch.setenv("IEXEC_WORKER_WALLET_PASSWORD", "another horse")
    shown = CliRunner().invoke(app, ["wallet", "show"])
    assert shown.exit_code == 1
    assert "does not open" in shown.output


def test_the_address_is_shown_without_a_password(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    wallet = Wallet.create()
    wallet.write_keystore(path, PASSWORD, light=True)
    monkeypatch.delenv("IEXEC_WORKER_WALLET_PASSWORD")
    assert CliRunner().invoke(app, ["wallet", "show"]).output.strip() == wallet.address


def test_help_teaches_the_first_steps_and_the_exit_codes() -> None:
    told = CliRunner().invoke(app, ["--help"]).output
    for word in ("First steps", "poolworker wallet create", "poolworker check", "Exit codes", "status"):
        assert word in told


def test_the_help_of_run_lists_every_setting() -> None:
    told = CliRunner().invoke(app, ["run", "--help"]).output
    assert "IEXEC_WORKER_WALLET_PASSWORD" in told
    assert "POOL_ADDRESS" in told


@pytest.mark.parametrize("arguments", [["--version"], ["version"]])
def test_the_version_is_reported(arguments: list[str]) -> None:
    told = CliRunner().invoke(app, arguments)
    assert (told.exit_code, told.output.startswith("poolworker ")) == (0, True)


def test_create_makes_folders_and_a_file_that_show_opens(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folders" / "wallet.json"
    made = create(path, PASSWORD)
    assert show(path, PASSWORD) == show(path, None) == made
    assert create(tmp_path / "another.json", PASSWORD) != made


@pytest.mark.parametrize(("password", "accepted"), [("", False), ("1234567", False), ("12345678", True)])
def test_a_password_has_eight_characters(tmp_path: Path, password: str, accepted: bool) -> None:
    path = tmp_path / "folder" / "wallet.json"
    if accepted:
        create(path, password)
        return
    with pytest.raises(CommandRefused, match="at least 8 characters"):
        create(path, password)
    assert not path.parent.exists()


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="exists and is not overwritten"):
        create(tmp_path, PASSWORD)


@pytest.mark.parametrize("name", ["file/wallet.json", "file/folder/wallet.json", "n" * 300])
def test_a_path_that_cannot_be_written_is_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(CommandRefused, match="cannot be written: "):
        create(tmp_path / name, PASSWORD)
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize(
    "content",
    [None, b"", b"\xff\xfe", b"[]", b"{}", b'{"address": 7}', b'{"address": "0x12"}', b"[" * 100_000],
)
def test_a_file_without_an_address_needs_its_password(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "wallet.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandRefused, match="IEXEC_WORKER_WALLET_PASSWORD"):
        show(path, None)
    with pytest.raises(CommandRefused):
        show(path, PASSWORD)


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_an_address_is_shown_with_its_checksum(tmp_path: Path, prefix: str) -> None:
    wallet = Wallet.create()
    path = tmp_path / "wallet.json"
    path.write_text(json.dumps({"address": prefix + wallet.address[2:].lower()}))
    assert show(path, None) == wallet.address


def test_with_a_password_the_key_counts_and_not_the_address_beside_it(tmp_path: Path) -> None:
    path, wallet = tmp_path / "wallet.json", Wallet.create()
    wallet.write_keystore(path, PASSWORD, light=True)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"address": "11" * 20}))
    assert show(path, None) == "0x" + "11" * 20
    assert show(path, PASSWORD) == wallet.address
