"""Names of backups and storages (scenario 38: outside the storage path)."""

from pathlib import PurePosixPath

import pytest
from workerpool_sms.domain.backups import backup_name, storage_path
from workerpool_sms.errors import InvalidBackupName, InvalidStorage

ROOT = PurePosixPath("/srv/backups")


def spelled(path: str) -> str:
    return path.encode().hex()


@pytest.mark.parametrize("path", ["/srv/backups/a/b", "a/b"])
def test_a_storage_inside_is_absolute_or_relative(path: str) -> None:
    assert storage_path(spelled(path), ROOT) == ROOT / "a/b"
    assert storage_path("0x" + spelled(path), ROOT) == ROOT / "a/b"


@pytest.mark.parametrize("path", ["/srv", "/etc", "/srv/backups/../other", "..", "/srv/backups2", "a\0b"])
def test_a_storage_outside_is_refused(path: str) -> None:
    with pytest.raises(InvalidStorage, match="outside /srv/backups"):
        storage_path(spelled(path), ROOT)


@pytest.mark.parametrize("text", ["zz", "123", "ff", "backups"])
def test_what_is_no_path_in_hexadecimal_is_refused(text: str) -> None:
    with pytest.raises(InvalidStorage, match="hexadecimal"):
        storage_path(text, ROOT)


def test_a_name_is_a_plain_file_name() -> None:
    assert backup_name("2026-11-29.dump") == "2026-11-29.dump"
    for text in ("", ".", "..", ".hidden", "a/b", "../a", "a\n", "a" * 129, "backup.dump.key"):
        with pytest.raises(InvalidBackupName):
            backup_name(text)
