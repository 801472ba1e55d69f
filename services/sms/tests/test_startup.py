"""The checks of the start: every file that settings name, and the keys that stored values need."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from workerpool_kit.process import StartupError
from workerpool_kit.settings.environment import load
from workerpool_sms import commands
from workerpool_sms.adapters.encryption.key_file import KeyFile
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.settings import SmsSettings
from workerpool_sms.startup import check_keys, node_dependency, open_key_file, open_properties

from services.sms.tests.test_settings import REQUIRED


def settings(folder: Path, **more: str) -> SmsSettings:
    named = {"IEXEC_SMS_STORAGE_ENCRYPTION_AES_KEY_PATH": str(folder / "sms.key")}
    return load(SmsSettings, REQUIRED | named | more)


class Rows:
    """Stored values that need the given keys."""

    def __init__(self, **keys: int) -> None:
        self.keys = keys

    async def key_ids(self) -> Mapping[str, int]:
        return self.keys

    async def not_sealed_with(self, key_id: str, limit: int) -> Sequence[tuple[str, str, Sealed]]:
        return []

    async def exchange(self, row: str, old: Sealed, new: Sealed) -> bool:
        return False


async def test_the_key_file_is_created_when_nothing_is_stored(tmp_path: Path) -> None:
    file = open_key_file(settings(tmp_path))
    assert not file.exists
    await check_keys(file, Rows())
    assert len(open_key_file(settings(tmp_path)).keys) == 1


async def test_38_a_lost_key_file_or_key_ends_the_start_in_words(tmp_path: Path) -> None:
    with pytest.raises(
        StartupError, match=r"AES_KEY_PATH: .*sms.key is missing, and 3 stored values need its keys"
    ):
        await check_keys(open_key_file(settings(tmp_path)), Rows(old=3))
    assert not (tmp_path / "sms.key").exists()
    KeyFile(tmp_path / "sms.key").create()
    with pytest.raises(StartupError, match="lacks the keys old"):
        await check_keys(open_key_file(settings(tmp_path)), Rows(old=3))


async def test_38_an_exposed_key_file_ends_the_start_in_words(tmp_path: Path) -> None:
    KeyFile(tmp_path / "sms.key").create()
    (tmp_path / "sms.key").chmod(0o644)
    with pytest.raises(StartupError, match=r"AES_KEY_PATH: every user of this host can use .* run chmod 600"):
        open_key_file(settings(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="cannot be created"):
        await check_keys(KeyFile(tmp_path / "file" / "sms.key"), Rows())


def test_an_unusable_properties_file_ends_the_start_in_words(tmp_path: Path) -> None:
    (tmp_path / "tee.json").write_text("{")
    with pytest.raises(StartupError, match=r"WORKERPOOL_SMS_TEE_PROPERTIES: .*; correct the file"):
        open_properties(settings(tmp_path, WORKERPOOL_SMS_TEE_PROPERTIES=str(tmp_path / "tee.json")))
    assert open_properties(settings(tmp_path)).versions == {}


def test_the_node_is_named_without_its_access_key(tmp_path: Path) -> None:
    named = settings(tmp_path, IEXEC_BLOCKCHAIN_NODE_ADDRESS="https://node.example/v3/canary")
    assert "canary" not in node_dependency(named).address


def test_the_command_appends_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sms.key"
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IEXEC_SMS_STORAGE_ENCRYPTION_AES_KEY_PATH", str(path))
    assert commands.rotate_key([]) == 1
    assert "cannot be read" in capsys.readouterr().err
    KeyFile(path).create()
    assert commands.rotate_key([]) == 0
    file = KeyFile(path)
    file.load()
    assert len(file.keys) == 2
    assert file.keys[-1].key_id in capsys.readouterr().out
    monkeypatch.delenv("IEXEC_CHAIN_ID")
    assert commands.rotate_key([]) == 2
    assert "IEXEC_CHAIN_ID" in capsys.readouterr().err
