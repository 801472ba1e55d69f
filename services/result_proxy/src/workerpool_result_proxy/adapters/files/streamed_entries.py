"""Hashing of a zip archive's entries while its bytes arrive, so that a large archive need not be read again.

The central directory, which decides what an archive contains, comes last. So each hash is provisional: it counts for an
entry of the directory that describes exactly the hashed bytes; all other entries are read again.
"""

import hashlib
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any

from isal import isal_zlib
from workerpool_poco.protocol.result_archive.rules import ArchiveRules

_HEADER = struct.Struct("<4s2B4HL2L2H")
_SIGNATURE = b"PK\x03\x04"
_IN_EXTRA = 0xFFFFFFFF
_ZIP64 = 1
_ENCRYPTED, _SIZES_FOLLOW, _PATCHED, _STRONG, _UTF8 = 1, 1 << 3, 1 << 5, 1 << 6, 1 << 11
_UNSUPPORTED = _ENCRYPTED | _SIZES_FOLLOW | _PATCHED | _STRONG
_PIECE_BYTES = 1 << 20


@dataclass(slots=True)
class _Entry:
    name: str
    method: int
    compressed: int
    size: int
    end: int
    """Position after the last byte of its content in the archive."""
    rest: int
    unpacked: int = 0
    crc: int = 0
    complete: bool = False
    digest: Any = field(default_factory=hashlib.sha256)
    inflater: Any = None


class StreamedEntries:
    """The hashes of entries in the order of the archive, up to the first one that is not supported.

    Never raises for malformed bytes, because an archive is judged when it is complete.
    """

    def __init__(self, rules: ArchiveRules) -> None:
        self._budget = rules.max_unpacked_bytes
        self._max_entries = rules.max_entries
        self._entries: dict[int, _Entry] = {}
        self._head = bytearray()
        self._current: _Entry | None = None
        self._position = 0
        self._stopped = False

    def feed(self, data: bytes) -> None:
        """Add the next bytes of the archive."""
        rest = memoryview(data)
        while rest and not self._stopped:
            rest = self._content(self._current, rest) if self._current else self._header(rest)

    def digest_of(self, info: zipfile.ZipInfo, limit: int) -> bytes | None:
        """Return the SHA-256 of an entry of the central directory; None when it must be read.

        `limit` is the start of the next entry or of the directory. The hashed size is `info.file_size`.
        """
        entry = self._entries.get(info.header_offset)
        if entry is None or not entry.complete:
            return None
        described = (info.orig_filename, info.compress_type, info.compress_size, info.file_size, info.CRC)
        hashed = (entry.name, entry.method, entry.compressed, entry.size, entry.crc)
        if described != hashed or info.flag_bits & _UNSUPPORTED or entry.end > limit:
            return None
        digest: bytes = entry.digest.digest()
        return digest

    def _header(self, data: memoryview) -> memoryview:
        data = self._fill(data, _HEADER.size)
        if len(self._head) < _HEADER.size:
            return data
        signature, *_, flags, method, _time, _date, _crc, packed, size, name_length, extra_length = (
            _HEADER.unpack_from(self._head)
        )
        if signature != _SIGNATURE or flags & _UNSUPPORTED or len(self._entries) >= self._max_entries:
            self._stopped = True
            return data
        length = _HEADER.size + name_length + extra_length
        data = self._fill(data, length)
        if len(self._head) < length:
            return data
        name = bytes(self._head[_HEADER.size : _HEADER.size + name_length])
        extra = bytes(self._head[_HEADER.size + name_length :])
        start = self._position - length
        self._head.clear()
        try:
            size, packed = _zip64_sizes(extra, size, packed)
            text = name.decode("utf-8" if flags & _UTF8 else "cp437")
        except (ValueError, struct.error):
            self._stopped = True
            return data
        self._start(start, _Entry(text, method, packed, size, self._position + packed, packed))
        return data

    def _fill(self, data: memoryview, length: int) -> memoryview:
        """Move bytes to the header until it has `length` of them; return the rest."""
        wanted = max(length - len(self._head), 0)
        taken = data[:wanted]
        self._head += taken
        self._position += len(taken)
        return data[len(taken) :]

    def _start(self, position: int, entry: _Entry) -> None:
        if entry.method == zipfile.ZIP_DEFLATED:
            entry.inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        elif entry.method != zipfile.ZIP_STORED or entry.compressed != entry.size:
            self._stopped = True
            return
        self._entries[position] = self._current = entry
        if not entry.rest:
            self._finish(entry)

    def _content(self, entry: _Entry, data: memoryview) -> memoryview:
        taken = data[: entry.rest]
        entry.rest -= len(taken)
        self._position += len(taken)
        try:
            if entry.inflater is None:
                self._add(entry, taken)
            else:
                self._inflate(entry, taken)
        except (zlib.error, OverflowError):
            self._stopped = True
        if not entry.rest and not self._stopped:
            self._finish(entry)
        return data[len(taken) :]

    def _inflate(self, entry: _Entry, packed: memoryview | bytes) -> None:
        while packed and not entry.inflater.eof:
            self._add(entry, entry.inflater.decompress(packed, _PIECE_BYTES))
            packed = entry.inflater.unconsumed_tail
        if packed and entry.inflater.eof:
            raise OverflowError("bytes follow the end of the compressed data")

    def _add(self, entry: _Entry, piece: memoryview | bytes) -> None:
        self._budget -= len(piece)
        entry.unpacked += len(piece)
        if self._budget < 0 or entry.unpacked > entry.size:
            raise OverflowError("more bytes than declared or allowed")
        entry.digest.update(piece)
        # SHA-256 is hardware-accelerated; beside it, zlib's CRC-32 would add half of its cost.
        entry.crc = isal_zlib.crc32(piece, entry.crc)

    def _finish(self, entry: _Entry) -> None:
        ended = entry.inflater is None or (entry.inflater.eof and not entry.inflater.unused_data)
        entry.complete = ended and entry.unpacked == entry.size
        entry.inflater = None
        self._current = None


def _zip64_sizes(extra: bytes, size: int, packed: int) -> tuple[int, int]:
    """Return size and packed size, from the ZIP64 field when the header defers to it. Raises ValueError."""
    if _IN_EXTRA not in (size, packed):
        return size, packed
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _ZIP64:
            values = list(struct.unpack(f"<{length // 8}Q", extra[4 : 4 + length // 8 * 8]))
            if size == _IN_EXTRA:
                size = values.pop(0) if values else _IN_EXTRA
            if packed == _IN_EXTRA:
                packed = values.pop(0) if values else _IN_EXTRA
            return size, packed
        extra = extra[4 + length :]
    raise ValueError("the header lacks its ZIP64 field")
