"""Entries are hashed as they arrive, and only what the central directory confirms is used."""

import hashlib
import io
import zipfile
from typing import Any

import pytest
from workerpool_poco.protocol.result_archive.rules import ArchiveRules
from workerpool_result_proxy.adapters.files.streamed_entries import StreamedEntries

RULES = ArchiveRules(max_unpacked_bytes=1 << 20, max_entries=100)
CONTENTS = {"a.txt": b"a" * 5_000, "empty": b"", "ä/b.bin": bytes(range(256)) * 8}


def packed(method: int, *, zip64: bool = False, contents: dict[str, bytes] = CONTENTS) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in contents.items():
            with archive.open(name, "w", force_zip64=zip64) as entry:
                entry.write(content)
    return buffer.getvalue()


def hashed(
    content: bytes, *, piece: int, rules: ArchiveRules = RULES, **changes: Any
) -> dict[str, bytes | None]:
    """Return the digest of each entry of the central directory that was hashed in the stream."""
    entries = StreamedEntries(rules)
    for start in range(0, len(content), piece):
        entries.feed(content[start : start + piece])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            for name, value in changes.items():
                setattr(info, name, value)
        return {info.filename: entries.digest_of(info, len(content)) for info in archive.infolist()}


@pytest.mark.parametrize("piece", [1, 29, 31, 1000, 1 << 20])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("zip64", [False, True])
def test_every_entry_is_hashed(method: int, zip64: bool, piece: int) -> None:
    expected = {name: hashlib.sha256(content).digest() for name, content in CONTENTS.items()}
    assert hashed(packed(method, zip64=zip64), piece=piece) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"header_offset": 1},
        {"orig_filename": "other"},
        {"compress_size": 1},
        {"file_size": 1},
        {"CRC": 1},
        {"flag_bits": 1},
        {"compress_type": zipfile.ZIP_BZIP2},
    ],
)
def test_another_description_in_the_directory_is_not_confirmed(changes: dict[str, Any]) -> None:
    assert set(hashed(packed(zipfile.ZIP_DEFLATED), piece=100, **changes).values()) == {None}


def test_an_entry_that_reaches_into_the_next_is_not_confirmed() -> None:
    entries = StreamedEntries(RULES)
    content = packed(zipfile.ZIP_STORED)
    entries.feed(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        first = archive.infolist()[0]
    assert entries.digest_of(first, 30 + len("a.txt") + 5_000) is not None
    assert entries.digest_of(first, 30 + len("a.txt") + 4_999) is None


@pytest.mark.parametrize(
    "rules", [ArchiveRules(max_unpacked_bytes=4_999), ArchiveRules(max_unpacked_bytes=1 << 20, max_entries=0)]
)
def test_nothing_is_hashed_beyond_the_limits(rules: ArchiveRules) -> None:
    assert set(hashed(packed(zipfile.ZIP_DEFLATED), piece=100, rules=rules).values()) == {None}


def test_a_stream_without_sizes_in_its_headers_is_left_alone() -> None:
    class Pipe(io.RawIOBase):
        content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.content += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr("a", b"content")
    assert hashed(pipe.content, piece=10) == {"a": None}


def test_noise_is_survived() -> None:
    entries = StreamedEntries(RULES)
    entries.feed(b"PK\x03\x04" + b"\xff" * 100)
    entries.feed(b"more")
    StreamedEntries(RULES).feed(b"no archive at all, but a text that is longer than a header")
