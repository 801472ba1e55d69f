"""Unpack an untrusted zip archive."""

import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from workerpool_result_proxy.domain.archive_rules import ArchiveLimits, Entry, check_entries
from workerpool_result_proxy.errors import ArchiveBomb, ArchiveBroken, ArchiveUnsafePath

_PIECE_BYTES = 1 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, UnicodeError, OverflowError)
"""What zipfile raises for malformed archives: its own error, and those of the libraries below it."""
_MAX_CONTENTS_BYTES = 4 << 20
"""The longest central directory that is read: zipfile loads it whole and needs fifteen times as much memory."""


def unpack(archive: Path, into: Path, limits: ArchiveLimits) -> None:
    """Unpack a zip archive into an empty folder.

    Nothing is written outside `into`, no link is created, and no more bytes are written than `limits` allows, whatever
    the archive declares. Raises a sub-class of `ArchiveRefused`, or `OSError` when the disk fails.
    """
    try:
        with archive.open("rb") as file, zipfile.ZipFile(_BoundedReads(file)) as opened:
            entries = check_entries(opened.infolist(), limits)
            budget = limits.max_bytes
            for entry in entries:
                budget -= _unpack_entry(opened, entry, into, budget)
    except _BROKEN as cause:
        raise ArchiveBroken(f"this is not a complete, readable zip archive: {cause}") from cause
    except ValueError as cause:
        raise ArchiveUnsafePath(f"an entry has a name that cannot be a file name: {cause}") from cause


def _unpack_entry(opened: zipfile.ZipFile, entry: Entry, into: Path, budget: int) -> int:
    """Unpack one entry; return its real size in bytes."""
    target = into / entry.path
    if entry.is_folder:
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    # "x": the folder was empty and all names differ, so an existing file is an attack.
    with opened.open(entry.info) as source, target.open("xb") as sink:
        while piece := source.read(_PIECE_BYTES):
            written += len(piece)
            if written > budget:
                raise ArchiveBomb("unpacked, the archive exceeds the limit of bytes")
            sink.write(piece)
    return written


class _BoundedReads:
    """A file for zipfile that withstands a forged central directory: no huge reads, no negative seeks."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self.tell = file.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET and offset < 0:
            raise zipfile.BadZipFile("an entry starts before the beginning of the file")
        return self._file.seek(offset, whence)

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_CONTENTS_BYTES or (size < 0 and self._size - self.tell() > _MAX_CONTENTS_BYTES):
            raise ArchiveBomb(f"the archive's central directory is longer than {_MAX_CONTENTS_BYTES} bytes")
        return self._file.read(size)

    def close(self) -> None:
        self._file.close()
