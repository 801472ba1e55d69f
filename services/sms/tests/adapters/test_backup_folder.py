"""No backup is read or written outside the admin storage (scenario 38)."""

from pathlib import Path

import pytest
from workerpool_sms.adapters.backup_folder import BackupFolder
from workerpool_sms.errors import BackupFailed, BackupNotFound, InvalidBackupName, InvalidStorage


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "storage"
    made.mkdir()
    return made


def test_38_a_link_out_of_the_storage_is_refused(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.dump").write_text("x")
    (root / "link").symlink_to(outside)
    with pytest.raises(InvalidStorage, match="symbolic link"):
        BackupFolder(root).existing(b"link".hex(), "a.dump")
    (root / "a.dump").symlink_to(outside / "a.dump")
    with pytest.raises(BackupNotFound):
        BackupFolder(root).existing("", "a.dump")


def test_38_missing_parts_are_named(root: Path, tmp_path: Path) -> None:
    folder = BackupFolder(root)
    with pytest.raises(BackupNotFound, match="there is no folder"):
        folder.existing(b"absent".hex(), "a.dump")
    with pytest.raises(BackupNotFound, match=r"no backup a\.dump"):
        folder.existing("", "a.dump")
    with pytest.raises(InvalidBackupName):
        folder.existing("", "../a.dump")
    with pytest.raises(BackupNotFound, match="IEXEC_SMS_ADMIN_STORAGE_LOCATION"):
        BackupFolder(tmp_path / "absent").newest()


def test_a_copy_is_readable_by_its_owner_only_and_takes_the_keys_along(root: Path) -> None:
    (root / "a.dump").write_text("rows")
    (root / "a.dump.key").write_text("keys")
    made = BackupFolder(root).copy("", "a.dump", "", "b.dump")
    assert (made.read_text(), (root / "b.dump.key").read_text()) == ("rows", "keys")
    assert made.stat().st_mode & 0o777 == 0o600
    assert BackupFolder(root).delete("", "b.dump") == made
    assert sorted(path.name for path in root.iterdir()) == ["a.dump", "a.dump.key"]


def test_keys_that_cannot_be_saved_are_named(root: Path) -> None:
    def fail(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(BackupFailed, match=r"a\.dump\.key cannot be written: Permission denied"):
        BackupFolder(root).save_keys(root / "a.dump", fail)
