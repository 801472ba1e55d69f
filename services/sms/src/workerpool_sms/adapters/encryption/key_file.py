"""The key file: one line `<id> <base64 of 32 bytes>` for each key; the last line is the current key.

Older keys decrypt old values until the rotation has rewrapped them, and old backups.
"""

import base64
import binascii
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from workerpool_sms.errors import BackupBroken, KeyFileUnusable

_KEY_BYTES = 32
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_MAX_BYTES = 1 << 20
_ORCHESTRATOR_SECRETS = Path("/run/secrets")
"""Where container engines mount secrets into one container, with modes that this process cannot choose."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of 32 bytes."""

    key_id: str
    secret: bytes = field(repr=False)


class KeyFile:
    """The keys in a file; `keys` are those of the last `load` or `reload`."""

    def __init__(self, path: Path, *, today: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self.keys: tuple[Key, ...] = ()
        self._today = today
        self._stamp = (0, 0)

    @property
    def exists(self) -> bool:
        """Whether the file exists."""
        return self.path.exists()

    def load(self) -> None:
        """Read the file. Raises KeyFileUnusable for a missing, exposed or malformed one."""
        try:
            with self.path.open("rb") as file:
                self._check_mode(os.fstat(file.fileno()))
                text = file.read(_MAX_BYTES).decode()
                status = os.fstat(file.fileno())
        except OSError as error:
            raise KeyFileUnusable(
                f"{self.path} cannot be read ({error.strerror}); give this user the right to read it, or name "
                "another file"
            ) from error
        except UnicodeDecodeError:
            raise KeyFileUnusable(f"{self.path} is not text; restore the key file of this SMS") from None
        self.keys = tuple(_parse(text, self.path))
        self._stamp = (status.st_mtime_ns, status.st_size)

    def reload(self) -> bool:
        """Read the file again if it was edited; return whether the keys changed. Raises like `load`."""
        try:
            status = self.path.stat()
        except OSError:
            # Keep the keys in memory while the file is being replaced.
            return False
        if (status.st_mtime_ns, status.st_size) == self._stamp:
            return False
        before = self.keys
        self.load()
        return self.keys != before

    def create(self) -> None:
        """Create the file with one key, unless another process just did, and read it. Raises KeyFileUnusable."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._not_created(error) from error
        try:
            # A link appears with its whole content, and fails when the file exists.
            with _new_file(self.path, _line(self._new_key())) as written:
                os.link(written, self.path)
            _sync_folder(self.path.parent)
        except FileExistsError:
            pass
        except OSError as error:
            raise self._not_created(error) from error
        self.load()

    def rotate(self) -> str:
        """Append a new key, which becomes the current one; return its id. Raises KeyFileUnusable."""
        added = self._new_key()
        self._write(lambda: (*self.keys, added))
        return added.key_id

    def key_ids(self) -> Sequence[str]:
        """Return the ids of the keys, the current one last."""
        return [key.key_id for key in self.keys]

    def save_to(self, path: Path) -> None:
        """Copy the keys to a new file of mode 0600. Raises OSError."""
        with _new_file(path, "".join(map(_line, self.keys))) as written:
            written.replace(path)

    def ids_in(self, path: Path) -> Sequence[str]:
        """Return the ids of the keys of a copy; none for a missing file. Raises BackupBroken."""
        return [key.key_id for key in self._copy(path)]

    def merge(self, path: Path) -> Sequence[str]:
        """Add the keys of a copy that this file lacks, before the current one; return their ids.

        Raises BackupBroken for a copy that is not a key file, or that has another key with a known id.
        """
        known = {key.key_id: key for key in self.keys}
        copied = self._copy(path)
        for key in copied:
            if key.key_id in known and known[key.key_id] != key:
                raise BackupBroken(
                    f"{path.name} has another key {key.key_id} than the key file of this SMS, so the backup is of "
                    "another SMS; restore one of this SMS"
                )
        added = tuple(key for key in copied if key.key_id not in known)
        if added:
            try:
                self._write(lambda: (*added, *self.keys))
            except KeyFileUnusable as problem:
                raise BackupBroken(f"the keys of the backup cannot be stored: {problem}") from problem
        return [key.key_id for key in added]

    def _copy(self, path: Path) -> tuple[Key, ...]:
        if not path.exists():
            return ()
        copy = KeyFile(path)
        try:
            copy.load()
        except KeyFileUnusable as problem:
            raise BackupBroken(f"the key file of the backup cannot be used: {problem}") from problem
        return copy.keys

    def _new_key(self) -> Key:
        return Key(f"{self._today():%Y%m%d}-{secrets.token_hex(4)}", secrets.token_bytes(_KEY_BYTES))

    def _write(self, keys: Callable[[], tuple[Key, ...]]) -> None:
        try:
            # Lock, so that the rotate-key command and a running service do not overwrite each other's keys.
            with self.path.open("rb") as locked:
                fcntl.flock(locked, fcntl.LOCK_EX)
                self.load()
                with _new_file(self.path, "".join(map(_line, keys()))) as written:
                    written.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise KeyFileUnusable(
                f"{self.path} cannot be replaced ({error.strerror}); give this user the right to write its folder"
            ) from error
        self.load()

    def _not_created(self, error: OSError) -> KeyFileUnusable:
        return KeyFileUnusable(
            f"{self.path} cannot be created ({error.strerror}); create its folder for this user, or name another "
            "file"
        )

    def _check_mode(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileUnusable(f"{self.path} is not a file; name the key file of this SMS")
        if status.st_mode & stat.S_IRWXO and not self.path.is_relative_to(_ORCHESTRATOR_SECRETS):
            raise KeyFileUnusable(
                f"every user of this host can use {self.path} (mode {stat.S_IMODE(status.st_mode):04o}); run "
                "chmod 600 on it"
            )


@contextmanager
def _new_file(beside: Path, text: str) -> Iterator[Path]:
    """Yield a new, synced file of mode 0600 in the same folder; remove it at the end if it still exists."""
    path = beside.with_name(f".{beside.name}.{secrets.token_hex(8)}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(key: Key) -> str:
    return f"{key.key_id} {base64.b64encode(key.secret).decode()}\n"


def _parse(text: str, path: Path) -> Iterator[Key]:
    seen = set[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key_id, _, encoded = line.strip().partition(" ")
        try:
            secret = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        # Do not quote the line, which may be a key.
        if not _ID.fullmatch(key_id) or len(secret) != _KEY_BYTES or key_id in seen:
            raise KeyFileUnusable(
                f"line {number} of {path} is not a unique id and the base64 of {_KEY_BYTES} bytes; restore the file"
            )
        seen.add(key_id)
        yield Key(key_id, secret)
    if not seen:
        raise KeyFileUnusable(f"{path} contains no key; restore it, or delete it if nothing is stored yet")
