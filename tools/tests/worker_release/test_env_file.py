"""The example of the env file holds every setting of the worker, and its defaults are true."""

import re
from pathlib import Path

import pytest
from worker_release import env_file as example
from worker_release.source import PACKAGING
from workerpool_kit.settings.base import is_secret, variable_of
from workerpool_kit.settings.environment import load
from workerpool_worker.settings import WorkerSettings

ENTRY = re.compile(r"^(?P<mark>#?)(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)$", re.MULTILINE)
POOL = "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"


@pytest.fixture(scope="module")
def entries() -> list[re.Match[str]]:
    return list(ENTRY.finditer(example.env_file()))


def test_the_file_in_the_archive_is_the_generated_one() -> None:
    assert (PACKAGING / "poolworker.env").read_text() == example.env_file()


def test_every_setting_stands_there_once(entries: list[re.Match[str]]) -> None:
    fields = list(WorkerSettings.model_fields.values())
    secrets = {variable_of(info) for info in fields if is_secret(info)}
    named = [entry["name"] for entry in entries]
    plain = [name.removesuffix("_FILE") if name.removesuffix("_FILE") in secrets else name for name in named]
    assert sorted(plain) == sorted(variable_of(info) for info in fields)


def test_each_default_is_the_one_of_the_worker(entries: list[re.Match[str]]) -> None:
    written = {entry["name"]: entry["value"] for entry in entries if entry["mark"]}
    assert load(WorkerSettings, written | {"POOL_ADDRESS": POOL}) == load(
        WorkerSettings, {"POOL_ADDRESS": POOL}
    )


def test_what_is_set_survives_a_reboot_and_lies_where_the_unit_has_it(
    entries: list[re.Match[str]], tmp_path: Path
) -> None:
    values = {entry["name"]: entry["value"] for entry in entries if not entry["mark"]}
    assert (values.pop("POOL_ADDRESS"), values.pop("IEXEC_CORE_URL")) == ("", "")
    (tmp_path / "password").write_text("a secret\n")
    assert values.pop("IEXEC_WORKER_WALLET_PASSWORD_FILE") == "/etc/poolworker/password"
    read = {"POOL_ADDRESS": POOL, "IEXEC_WORKER_WALLET_PASSWORD_FILE": str(tmp_path / "password")}
    found = load(WorkerSettings, values | read)
    assert (found.base_dir, found.wallet_path) == (
        Path("/var/lib/poolworker"),
        Path("/etc/poolworker/wallet.json"),
    )


def test_systemd_docker_and_shells_read_each_line_alike(entries: list[re.Match[str]]) -> None:
    lines = [line for line in example.env_file().splitlines() if line and not line.startswith("#")]
    assert len(lines) == sum(not entry["mark"] for entry in entries)
    assert [
        entry["value"] for entry in entries if re.search(r"[\s\"'\\$`;&|<>(){}*?#]", entry["value"])
    ] == []
    assert max(map(len, example.env_file().splitlines())) <= 120
