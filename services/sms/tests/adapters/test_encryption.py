"""The key file, its permissions and rotation, and values that open only for their purpose."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from workerpool_sms.adapters.encryption.envelope import Envelope
from workerpool_sms.adapters.encryption.key_file import KeyFile
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.errors import BackupBroken, KeyFileUnusable, KeyMissing, SealBroken


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    made = KeyFile(tmp_path / "folder" / "sms.key")
    made.create()
    return made


def test_the_file_is_created_for_its_owner_only(file: KeyFile) -> None:
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert len(file.keys) == 1
    assert len(file.keys[0].secret) == 32
    assert [path.name for path in file.path.parent.iterdir()] == ["sms.key"]


def test_a_second_process_reads_what_the_first_created(file: KeyFile) -> None:
    other = KeyFile(file.path)
    other.create()
    assert other.keys == file.keys


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o666, 0o644])
def test_38_a_file_that_every_user_can_use_is_refused(file: KeyFile, mode: int) -> None:
    file.path.chmod(mode)
    with pytest.raises(KeyFileUnusable, match=f"mode {mode:04o}.*chmod 600"):
        KeyFile(file.path).load()


def test_38_a_file_that_cannot_be_read_or_created_is_named(tmp_path: Path, file: KeyFile) -> None:
    with pytest.raises(KeyFileUnusable, match="cannot be read"):
        KeyFile(tmp_path / "absent").load()
    with pytest.raises(KeyFileUnusable, match=r"is not a file|cannot be read"):
        KeyFile(tmp_path).load()
    with pytest.raises(KeyFileUnusable, match="cannot be created"):
        KeyFile(file.path / "below" / "a.key").create()


@pytest.mark.parametrize(
    "text", ["", "# only a comment\n", "a-secret-that-is-no-key", "id !!!!\n", "id QUJD\n", b"\xff\xfe"]
)
def test_a_malformed_file_is_refused_without_its_content(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "sms.key"
    path.touch(0o600)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(KeyFileUnusable, match=r"sms\.key") as refused:
        KeyFile(path).load()
    assert "QUJD" not in str(refused.value)
    assert "a-secret" not in str(refused.value)


def test_the_last_key_is_the_current_one_and_an_edit_is_noticed(file: KeyFile) -> None:
    other = KeyFile(file.path)
    other.load()
    added = file.rotate()
    assert Envelope(file).current_key_id == added
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert other.reload()
    assert other.keys == file.keys
    assert not other.reload()
    file.path.unlink()
    assert not other.reload(), "a file that is gone loses no key in memory"


def test_a_copy_has_the_keys_and_gives_missing_ones_back(file: KeyFile, tmp_path: Path) -> None:
    copy = tmp_path / "backup.dump.key"
    file.save_to(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    other = KeyFile(tmp_path / "other.key")
    other.create()
    current = other.keys[-1]
    assert list(other.ids_in(copy)) == [file.keys[0].key_id]
    assert list(other.merge(copy)) == [file.keys[0].key_id]
    assert list(other.merge(copy)) == []
    assert other.keys == (file.keys[0], current)
    assert list(other.ids_in(tmp_path / "absent")) == []


def test_a_copy_with_another_key_under_a_known_id_is_refused(file: KeyFile, tmp_path: Path) -> None:
    copy = tmp_path / "copy.key"
    copy.touch(0o600)
    copy.write_text(f"{file.keys[0].key_id} {'A' * 43}=\n")
    with pytest.raises(BackupBroken, match="another key"):
        file.merge(copy)
    copy.chmod(0o644)
    with pytest.raises(BackupBroken, match="chmod 600"):
        file.ids_in(copy)


def test_a_value_opens_for_its_purpose_only(file: KeyFile) -> None:
    vault = Envelope(file)
    sealed = vault.seal(b"canary", "web2:0xaa:token")
    assert vault.open(sealed, "web2:0xaa:token") == b"canary"
    assert b"canary" not in sealed.content + sealed.data_key
    assert vault.seal(b"canary", "web2:0xaa:token") != sealed, "each value has a key of its own"
    with pytest.raises(SealBroken):
        vault.open(sealed, "web2:0xbb:token")


def changed(part: bytes) -> bytes:
    return part[:-1] + bytes([part[-1] ^ 1])


def test_a_changed_value_does_not_open(file: KeyFile) -> None:
    vault = Envelope(file)
    sealed, other = vault.seal(b"v", "p"), vault.seal(b"w", "p")
    for broken in (
        replace(sealed, content=changed(sealed.content)),
        replace(sealed, data_key=changed(sealed.data_key)),
        replace(sealed, content=other.content),
        Sealed(sealed.key_id, b"", b""),
    ):
        with pytest.raises(SealBroken):
            vault.open(broken, "p")


def test_a_missing_key_is_named_and_a_new_one_is_read_from_the_file(file: KeyFile) -> None:
    elsewhere = KeyFile(file.path)
    elsewhere.load()
    file.rotate()
    sealed = Envelope(file).seal(b"v", "p")
    assert Envelope(elsewhere).open(sealed, "p") == b"v"
    with pytest.raises(KeyMissing, match="lacks key 20200101-gone"):
        Envelope(file).open(replace(sealed, key_id="20200101-gone"), "p")
    os.chmod(file.path, 0o644)
    with pytest.raises(KeyMissing):
        Envelope(file).open(replace(sealed, key_id="20200101-gone"), "p")


def test_derived_secrets_differ_by_purpose_and_key(file: KeyFile) -> None:
    vault = Envelope(file)
    (first,) = vault.derived_secrets("a")
    file.rotate()
    assert vault.derived_secrets("a")[1] == first
    assert len({*vault.derived_secrets("a"), *vault.derived_secrets("b")}) == 4
    assert file.keys[0].secret not in vault.derived_secrets("a")
    assert repr(file.keys[0].secret) not in repr(file.keys[0])
