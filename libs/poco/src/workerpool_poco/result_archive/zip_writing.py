"""Writes an archive: equal for equal content, in bounded memory, with the hash of each file as it is written."""

import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from isal import isal_zlib

from workerpool_poco.protocol.result_archive.rules import ArchiveRules, Rule, RuleBroken
from workerpool_poco.result_archive.output_folder import Check
from workerpool_poco.result_archive.pipeline import (
    LEVEL,
    RAW,
    AtOnce,
    Deflater,
    EarlySync,
    Sha256,
    Threads,
)

CHUNK_BYTES = 1 << 20
_WORTHWHILE = 0.95
"""A file is packed when its first chunk becomes smaller than this part of it; noise and packed files do not."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ZIP64_FROM_BYTES = 1 << 30
_LOCAL_HEADER = struct.Struct("<26xHH")
"""The lengths of name and extra field at the end of a local header."""
_FOLDER_ATTRIBUTE = 0x10


class ArchiveWriter:
    """A zip under construction. The target appears only when it is complete; after an error nothing remains."""

    def __init__(self, target: Path, rules: ArchiveRules, check: Check) -> None:
        """Create the unfinished file beside `target`. Raises OSError."""
        self._target = target
        self._unfinished = target.with_suffix(".part")
        self._rules = rules
        self._check = check
        self._file: BinaryIO = self._unfinished.open("w+b")
        self._zip = zipfile.ZipFile(self._file, "w")
        self._open = ExitStack()
        self._threads: Threads | None = None
        self._sync: EarlySync | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            # A zip that is not closed would write when it is collected.
            with suppress(Exception):
                self._zip.close()
            self._open.close()
            with suppress(OSError):
                self._file.close()
            self._unfinished.unlink(missing_ok=True)

    def add_folder(self, path: str) -> None:
        """Add an empty folder."""
        info = zipfile.ZipInfo(path + "/", _EPOCH)
        info.external_attr = (stat.S_IFDIR | 0o755) << 16 | _FOLDER_ATTRIBUTE
        self._zip.writestr(info, b"")

    def add_file(self, path: str, size: int, content: Iterator[bytes]) -> bytes:
        """Add a file of `size` bytes and return its SHA-256.

        Raises `RuleBroken` when the archive grows too large, OSError when the content has another size.
        """
        packing, hashing, pending = self._executors(size)
        digest = Sha256(hashing, pending)
        written = 0
        first = next(content, b"")
        info = _file_info(path, packed=_shrinks(first))
        with self._zip.open(info, "w", force_zip64=size >= _ZIP64_FROM_BYTES) as entry:
            if info.compress_type == zipfile.ZIP_DEFLATED:
                # zipfile has no setting for the compressor, and its own packs a tenth as fast.
                cast("Any", entry)._compressor = Deflater(packing, pending)
            for chunk in chain((first,), content):
                self._check()
                written += len(chunk)
                if written > size:
                    raise OSError(f"{path!r} grew while it was read")
                digest.update(chunk)
                entry.write(chunk)
                self._check_size()
        if written != size:
            raise OSError(f"{path!r} shrank while it was read")
        return digest.digest()

    def add_copy(self, path: str, of: str) -> None:
        """Add a file with the content of an earlier entry, taken from the archive itself."""
        original = self._zip.getinfo(of)
        self.add_file(path, original.file_size, self._content(original))

    def _content(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        self._file.flush()
        descriptor = self._file.fileno()
        name_length, extra_length = _LOCAL_HEADER.unpack(
            os.pread(descriptor, _LOCAL_HEADER.size, entry.header_offset)
        )
        position = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        end = position + entry.compress_size
        inflater = isal_zlib.decompressobj(RAW)
        while position < end:
            packed = os.pread(descriptor, min(CHUNK_BYTES, end - position), position)
            position += len(packed)
            if entry.compress_type == zipfile.ZIP_STORED:
                yield packed
                continue
            while packed:
                if chunk := inflater.decompress(packed, CHUNK_BYTES):
                    yield chunk
                packed = inflater.unconsumed_tail
        if rest := inflater.flush():
            yield rest

    def _executors(self, size: int) -> tuple[Executor, Executor, int]:
        """Return what packs and hashes a file, and the number of chunks that may be in it."""
        if size <= CHUNK_BYTES:
            return AtOnce(), AtOnce(), 0
        if self._threads is None:
            self._threads = self._open.enter_context(Threads())
            self._sync = EarlySync(self._file.fileno())
        return self._threads.packing, self._threads.hashing, self._threads.max_pending

    def _check_size(self) -> None:
        size = self._file.tell()
        if self._sync is not None:
            self._sync.written(size)
        if size > self._rules.max_archive_bytes:
            raise RuleBroken(
                Rule.SIZE, f"the archive exceeds {self._rules.max_archive_bytes} bytes; write less output"
            )

    def _finish(self) -> None:
        self._zip.close()
        self._file.flush()
        self._check_size()
        if self._sync is not None:
            self._sync.wait()
        os.fsync(self._file.fileno())
        self._unfinished.replace(self._target)


def _shrinks(sample: bytes) -> bool:
    return len(isal_zlib.compress(sample, LEVEL)) < _WORTHWHILE * len(sample)


def _file_info(path: str, *, packed: bool) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info
