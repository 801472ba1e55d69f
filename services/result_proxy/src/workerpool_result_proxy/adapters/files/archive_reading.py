"""Reads of an untrusted zip archive: each entry once, only to hash it, so that no file is extracted."""

import hashlib
import os
import struct
import zipfile
import zlib
from bisect import bisect_right
from pathlib import Path
from typing import BinaryIO

from workerpool_poco.protocol.result_archive.computed_file import find_computed, output_path, parse_computed
from workerpool_poco.protocol.result_archive.digest import plan_digest
from workerpool_poco.protocol.result_archive.layout import lay_out
from workerpool_poco.protocol.result_archive.rules import MAX_CONTENTS_BYTES, ArchiveRules, RuleBroken
from workerpool_poco.protocol.results import ResultDigestError

from workerpool_result_proxy.adapters.files.streamed_entries import StreamedEntries
from workerpool_result_proxy.domain.archive_rules import CheckedArchive, check_entries, refusal_of
from workerpool_result_proxy.errors import ArchiveBomb, ArchiveBroken, ArchiveWithoutDigest

_PIECE_BYTES = 1 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)
"""The exceptions of zipfile for malformed archives: its own, and those of the libraries below it."""


def archive_digest(archive: Path, rules: ArchiveRules, streamed: StreamedEntries | None = None) -> bytes:
    """Return the result digest of a zip archive (worker spec A.8).

    Entries that `streamed` hashed while the archive arrived are not read again. No more bytes are decompressed than
    `rules` allow, whatever the archive declares, and nothing is written. Raises a sub-class of `ArchiveRefused`, or
    `OSError` when the disk fails.
    """
    try:
        with archive.open("rb") as file, zipfile.ZipFile(_BoundedReads(file)) as opened:
            return _digest(opened, check_entries(opened.infolist(), rules), rules, streamed)
    except RuleBroken as broken:
        raise refusal_of(broken) from broken
    except ResultDigestError as problem:
        raise ArchiveWithoutDigest(str(problem), details={"cause": problem.cause}) from problem
    except _BROKEN as cause:
        raise ArchiveBroken(f"this is not a complete, readable zip archive: {cause}") from cause


def _digest(
    opened: zipfile.ZipFile, content: CheckedArchive, rules: ArchiveRules, streamed: StreamedEntries | None
) -> bytes:
    # The same order as in the worker, so that both report the same cause.
    path, _ = find_computed(content.root, rules)
    lay_out(content.root, rules)
    with opened.open(content.files[path]) as file:
        computed = parse_computed(file.read(rules.max_computed_bytes + 1), rules)
    plan = plan_digest(content.root, output_path(computed))
    hashes = {}
    budget = rules.max_unpacked_bytes
    starts = sorted({*(info.header_offset for info in opened.infolist()), opened.start_dir})
    for place, info in content.files.items():
        size = info.file_size
        limit = starts[bisect_right(starts, info.header_offset) :][:1]
        known = streamed.digest_of(info, limit[0]) if streamed and limit else None
        if known is None or size > budget:
            size, known = _read(opened, info, budget)
        hashes[place] = known
        budget -= size
    return plan.digest(hashes)


def _read(opened: zipfile.ZipFile, info: zipfile.ZipInfo, budget: int) -> tuple[int, bytes]:
    """Decompress one entry; return its real size in bytes and its SHA-256."""
    digest = hashlib.sha256()
    size = 0
    with opened.open(info) as source:
        while piece := source.read(_PIECE_BYTES):
            size += len(piece)
            if size > budget:
                raise ArchiveBomb("unpacked, the archive exceeds the limit of bytes; write a smaller result")
            digest.update(piece)
    return size, digest.digest()


class _BoundedReads:
    """A file for zipfile that resists a forged central directory: no huge reads, no negative seeks."""

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
        if size > MAX_CONTENTS_BYTES or (size < 0 and self._size - self.tell() > MAX_CONTENTS_BYTES):
            raise ArchiveBomb(f"the archive's central directory is longer than {MAX_CONTENTS_BYTES} bytes")
        return self._file.read(size)

    def close(self) -> None:
        self._file.close()
