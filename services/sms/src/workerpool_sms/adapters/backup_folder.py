"""The `BackupFiles` port: files inside the admin storage only."""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from workerpool_sms.domain.backups import BACKUP_NAME, KEY_SUFFIX, backup_name, storage_path
from workerpool_sms.errors import BackupFailed, BackupNotFound, InvalidStorage

_MODE = 0o600


class BackupFolder:
    """The admin storage; a folder inside is used only when no symbolic link leads outside."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def newest(self) -> Path:
        """Return the path of the newest backup; see `BackupFiles`."""
        return self._resolved_root() / BACKUP_NAME

    def existing(self, storage: str, name: str) -> tuple[Path, Path]:
        """Return the paths of a backup and of its keys; see `BackupFiles`."""
        path = self._folder(storage) / backup_name(name)
        if not path.is_file() or path.is_symlink():
            raise BackupNotFound(f"there is no backup {name} in this storage; check fileName")
        return path, _keys_of(path)

    def save_keys(self, backup: Path, save_to: Callable[[Path], None]) -> None:
        """Save the keys of a backup beside it; see `BackupFiles`."""
        try:
            save_to(_keys_of(backup))
        except OSError as error:
            raise _failed(_keys_of(backup), error) from error

    def copy(self, source: str, source_name: str, target: str, target_name: str) -> Path:
        """Copy a backup and its keys; see `BackupFiles`."""
        path, keys = self.existing(source, source_name)
        copied = self._folder(target) / backup_name(target_name)
        try:
            # The keys first, because a backup without its keys is useless.
            if keys.is_file():
                _copy(keys, _keys_of(copied))
            _copy(path, copied)
        except OSError as error:
            raise _failed(copied, error) from error
        return copied

    def delete(self, storage: str, name: str) -> Path:
        """Delete a backup and its keys; see `BackupFiles`."""
        path, keys = self.existing(storage, name)
        try:
            path.unlink()
            keys.unlink(missing_ok=True)
        except OSError as error:
            raise _failed(path, error) from error
        return path

    def _resolved_root(self) -> Path:
        try:
            return self._root.resolve(strict=True)
        except OSError as error:
            raise BackupNotFound(
                f"{self._root} (IEXEC_SMS_ADMIN_STORAGE_LOCATION) cannot be used ({error.strerror}); create this folder"
            ) from error

    def _folder(self, storage: str) -> Path:
        root = self._resolved_root()
        if not storage:
            return root
        wanted = Path(storage_path(storage, PurePosixPath(root)))
        folder = wanted.resolve()
        if not folder.is_relative_to(root):
            raise InvalidStorage(f"a symbolic link leads from {wanted} outside {root}; use a folder inside")
        if not folder.is_dir():
            raise BackupNotFound(f"there is no folder {wanted}; create it")
        return folder


def _keys_of(backup: Path) -> Path:
    return backup.with_name(backup.name + KEY_SUFFIX)


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
            shutil.copyfileobj(reading, writing)
            writing.flush()
            os.fsync(writing.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _failed(path: Path, error: OSError) -> BackupFailed:
    return BackupFailed(
        f"{path} cannot be written: {error.strerror}; free space or correct the rights of its folder"
    )
