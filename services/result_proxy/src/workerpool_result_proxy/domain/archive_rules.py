"""What a result archive may contain, judged by the zip's central directory before anything is unpacked."""

import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from workerpool_result_proxy.errors import (
    ArchiveBomb,
    ArchiveDuplicateName,
    ArchiveSpecialFile,
    ArchiveUnsafePath,
    ArchiveUnsupported,
)

_MAX_NAME_BYTES = 255
_MAX_PATH_BYTES = 2048
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class ArchiveLimits:
    """Limits of one unpacked archive: `max_bytes` of all files together, `max_entries` files and folders."""

    max_bytes: int
    max_entries: int = 20_000


@dataclass(frozen=True)
class Entry:
    """A file or folder that may be unpacked at `path`, relative to the root."""

    path: PurePosixPath
    is_folder: bool
    info: zipfile.ZipInfo


def check_entries(infos: Sequence[zipfile.ZipInfo], limits: ArchiveLimits) -> list[Entry]:
    """Return the entries of an archive that is safe to unpack. Raises a sub-class of `ArchiveRefused`.

    The declared sizes may be false, so unpacking must count the bytes again.
    """
    if len(infos) > limits.max_entries:
        raise ArchiveBomb(f"the archive has {len(infos)} entries; the limit is {limits.max_entries}")
    entries = [_entry(info) for info in infos]
    unpacked = sum(entry.info.file_size for entry in entries)
    if unpacked > limits.max_bytes:
        raise ArchiveBomb(
            f"unpacked, the archive would have {unpacked} bytes; the limit is {limits.max_bytes}"
        )
    _check_distinct(entries)
    return entries


def _entry(info: zipfile.ZipInfo) -> Entry:
    # zipfile cuts `filename` at a NUL; the original is what the archive contains.
    name = info.orig_filename
    if "\0" in name or "\\" in name or not name.strip("/"):
        raise ArchiveUnsafePath(f"an entry has the name {name[:80]!r}")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path == PurePosixPath(".") or path.parts[0].endswith(":"):
        raise ArchiveUnsafePath(f"the entry {name[:80]!r} points outside the archive")
    encoded = name.encode(errors="surrogateescape")
    if len(encoded) > _MAX_PATH_BYTES or any(
        len(part.encode(errors="surrogateescape")) > _MAX_NAME_BYTES for part in path.parts
    ):
        raise ArchiveUnsafePath(f"the name of the entry {name[:80]!r}… is too long")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveSpecialFile(f"the entry {name[:80]!r} is neither a file nor a folder")
    if info.flag_bits & _ENCRYPTED:
        raise ArchiveUnsupported(f"the entry {name[:80]!r} is encrypted")
    if info.compress_type not in _METHODS:
        raise ArchiveUnsupported(f"the entry {name[:80]!r} is compressed by a method other than deflate")
    is_folder = info.is_dir()
    if is_folder and info.file_size:
        raise ArchiveSpecialFile(f"the folder {name[:80]!r} has content")
    return Entry(path, is_folder, info)


def _check_distinct(entries: list[Entry]) -> None:
    """Refuse two entries with one name, and a file that is also the folder of another entry."""
    seen: set[PurePosixPath] = set()
    files = {entry.path for entry in entries if not entry.is_folder}
    for entry in entries:
        if entry.path in seen:
            raise ArchiveDuplicateName(f"the archive has {str(entry.path)[:80]!r} twice")
        seen.add(entry.path)
        for parent in entry.path.parents:
            if parent in files:
                raise ArchiveDuplicateName(f"{str(parent)[:80]!r} is both a file and a folder")
