"""Looks at settings, wallet and base folder of a host: what each of them finds, with its code and its remedy."""

import json
from pathlib import Path

import pytest
from workerpool_kit.settings.environment import load
from workerpool_poco.chain.wallet import Wallet
from workerpool_worker.cli import local_checks
from workerpool_worker.domain.diagnosis.findings import Code, Severity
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.harness.builders import WORKER
from services.worker.tests.harness.host_settings import PASSWORD, HostSettings, by_subject

# --- settings --------------------------------------------------------------------------------------


def test_complete_settings_are_one_finding(settings: HostSettings) -> None:
    (finding,) = local_checks.settings_findings(settings())
    assert (finding.severity, finding.message) == (Severity.OK, "complete")


def test_a_variable_without_effect_is_named_with_the_reason(
    settings: HostSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IEXEC_LAS_PORT", "18766")
    (finding,) = local_checks.settings_findings(settings())
    assert (finding.severity, finding.code) == (Severity.WARNING, Code.SETTING_IGNORED)
    assert finding.message.startswith("IEXEC_LAS_PORT has no effect: ")
    assert finding.next_step == "Remove IEXEC_LAS_PORT."


def test_a_key_store_that_others_can_read_is_named(settings: HostSettings) -> None:
    found = settings()
    Wallet.create().write_keystore(found.wallet_path, PASSWORD, light=True)
    found.wallet_path.chmod(0o644)
    (finding,) = local_checks.settings_findings(found)
    assert (finding.severity, finding.code) == (Severity.WARNING, Code.SECRET_EXPOSED)
    assert "(IEXEC_WORKER_WALLET_PATH, mode 0644)" in finding.message
    assert finding.next_step == f"Run: chmod 600 {found.wallet_path}"


# --- wallet ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_the_address_of_a_key_store_is_read_without_its_password(tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "wallet.json"
    file.write_text(json.dumps({"address": prefix + WORKER.removeprefix("0x").lower()}))
    assert local_checks.stored_address(file) == WORKER


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"no JSON",
        b"[]",
        b"null",
        b"{}",
        b'{"address": null}',
        b'{"address": 7}',
        b'{"address": "7e5f"}',
        b'{"address": {"of": "another"}}',
        b"[" * 100_000,
    ],
)
def test_a_file_without_an_address_names_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "wallet.json").write_bytes(content)
    assert local_checks.stored_address(tmp_path / "wallet.json") is None


def test_a_path_that_is_no_file_names_no_address(tmp_path: Path) -> None:
    assert local_checks.stored_address(tmp_path) is None
    assert local_checks.stored_address(tmp_path / "missing") is None


async def test_an_opened_wallet_is_reported_with_its_address(settings: HostSettings) -> None:
    found, wallet = settings(), Wallet.create()
    wallet.write_keystore(found.wallet_path, PASSWORD, light=True)
    finding, address = await local_checks.wallet_finding(found)
    assert (finding.severity, finding.message, address) == (Severity.OK, wallet.address, wallet.address)


@pytest.mark.parametrize("named", [True, False])
async def test_a_wrong_password_hides_the_address_only_where_the_file_does(
    settings: HostSettings, named: bool
) -> None:
    found, wallet = settings(IEXEC_WORKER_WALLET_PASSWORD="another horse"), Wallet.create()
    wallet.write_keystore(found.wallet_path, PASSWORD, light=True)
    if not named:
        content = json.loads(found.wallet_path.read_text())
        del content["address"]
        found.wallet_path.write_text(json.dumps(content))
    finding, address = await local_checks.wallet_finding(found)
    assert (finding.severity, finding.code) == (Severity.PROBLEM, Code.WRONG_PASSWORD)
    assert str(found.wallet_path) in finding.message
    assert "another horse" not in finding.message + finding.next_step
    assert "IEXEC_WORKER_WALLET_PASSWORD_FILE" in finding.next_step
    assert address == (wallet.address if named else None)


@pytest.mark.parametrize(
    "content", [None, "no JSON", "[]", "{}", '{"crypto": 7}', '{"crypto": {"kdf": "x"}}']
)
async def test_an_unusable_wallet_names_its_file_and_its_variable(
    settings: HostSettings, content: str | None
) -> None:
    found = settings()
    if content is not None:
        found.wallet_path.write_text(content)
    finding, address = await local_checks.wallet_finding(found)
    assert (finding.severity, finding.code, address) == (Severity.PROBLEM, Code.WALLET_UNUSABLE, None)
    assert str(found.wallet_path) in finding.message
    assert "IEXEC_WORKER_WALLET_PATH" in finding.next_step
    assert "poolworker wallet create" in finding.next_step


# --- base folder -----------------------------------------------------------------------------------


def test_a_folder_that_does_not_exist_yet_is_judged_by_the_one_above_and_not_made(
    settings: HostSettings, base: Path
) -> None:
    found = by_subject(local_checks.folder_findings(settings()))
    assert found["base folder"].message == f"{base} can be written"
    assert found["disk"].severity is Severity.OK
    assert str(base.parent) in found["disk"].message
    assert list(base.parent.iterdir()) == []


def test_a_folder_that_exists_is_left_as_it_was(settings: HostSettings, base: Path) -> None:
    base.mkdir()
    assert str(base) in by_subject(local_checks.folder_findings(settings()))["disk"].message
    assert list(base.iterdir()) == []


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_place_of_the_folder_is_named(settings: HostSettings, base: Path, below: str) -> None:
    base.write_text("a file")
    found = local_checks.folder_findings(settings(IEXEC_WORKER_BASE_DIR=str(base / below)))
    (finding,) = [each for each in found if each.severity is Severity.PROBLEM]
    assert (finding.subject, finding.code) == ("base folder", Code.BASE_FOLDER_UNUSABLE)
    assert finding.message == f"{base / below} cannot be written: Not a directory"
    assert "IEXEC_WORKER_BASE_DIR" in finding.next_step
    assert base.read_text() == "a file"


def test_a_folder_that_takes_no_files_is_named(settings: HostSettings) -> None:
    found = local_checks.folder_findings(settings(IEXEC_WORKER_BASE_DIR="/proc/base"))
    assert [each.code for each in found] == [Code.BASE_FOLDER_UNUSABLE]


def test_a_disk_below_the_floor_is_full(settings: HostSettings) -> None:
    found = by_subject(
        local_checks.folder_findings(settings(WORKERPOOL_WORKER_DISK_FLOOR_BYTES=str(1 << 60)))
    )
    assert (found["disk"].severity, found["disk"].code) == (Severity.PROBLEM, Code.DISK_FULL)
    assert "WORKERPOOL_WORKER_DISK_FLOOR_BYTES" in found["disk"].next_step


@pytest.mark.parametrize("chosen", [True, False])
def test_a_volatile_folder_is_a_warning_before_all_others(chosen: bool) -> None:
    variables = {"POOL_ADDRESS": WORKER} | ({"IEXEC_WORKER_BASE_DIR": "/tmp/base"} if chosen else {})
    first = local_checks.folder_findings(load(WorkerSettings, variables))[0]
    assert (first.severity, first.code) == (Severity.WARNING, Code.BASE_FOLDER_VOLATILE)
    assert ("is not set" in first.message) is not chosen
