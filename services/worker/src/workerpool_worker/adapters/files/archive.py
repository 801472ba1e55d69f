"""The result archive: deterministic for equal output, built in bounded memory, without content outside the folder."""

import hashlib
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK_BYTES = 1 << 20
_ZIP64_FROM_BYTES = 1 << 30


def write_archive(folder: Path, target: Path) -> None:
    """Zip the content of a folder: entries relative to it, sorted by name, with fixed times and permissions.

    Symbolic links become empty entries and are not followed. Sockets, pipes and devices are omitted. The target
    appears only when it is complete. Raises OSError.
    """
    unfinished = target.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path, name, status in _entries(folder, ""):
            _add(archive, path, name, status)
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(target)


def file_sha256(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file as `0x…` text and its size in bytes."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return "0x" + digest.hexdigest(), size


def _entries(folder: Path, prefix: str) -> Iterator[tuple[Path, str, os.stat_result]]:
    """Yield (path, name, status) of everything below a folder, depth first, each level sorted by name bytes."""
    for entry in sorted(os.scandir(folder), key=lambda item: os.fsencode(item.name)):
        name = prefix + os.fsencode(entry.name).decode("utf-8", errors="replace")
        status = entry.stat(follow_symlinks=False)
        yield Path(entry.path), name, status
        if stat.S_ISDIR(status.st_mode):
            yield from _entries(Path(entry.path), name + "/")


def _add(archive: zipfile.ZipFile, path: Path, name: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        folder = zipfile.ZipInfo(name + "/", _EPOCH)
        folder.external_attr = (stat.S_IFDIR | 0o755) << 16 | 0x10
        archive.writestr(folder, b"")
    elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        if stat.S_ISLNK(status.st_mode):
            archive.writestr(info, b"")
            return
        with (
            os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as source,
            archive.open(info, "w", force_zip64=status.st_size >= _ZIP64_FROM_BYTES) as entry,
        ):
            shutil.copyfileobj(source, entry, _CHUNK_BYTES)
