"""Archives that attack the code that reads them, and archives that do not."""

import contextlib
import hashlib
import io
import json
import stat
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.result_archive.rules import ArchiveRules
from workerpool_result_proxy import errors
from workerpool_result_proxy.adapters.files.archive_reading import archive_digest
from workerpool_result_proxy.adapters.files.streamed_entries import StreamedEntries

Entries = Iterable[tuple[str | zipfile.ZipInfo, str | bytes]]
Digest = Callable[..., bytes]
RULES = ArchiveRules(max_unpacked_bytes=1 << 20, max_entries=100)
COMPUTED = ("computed.json", '{"deterministic-output-path": "/iexec_out/computed.json"}')


def packed(entries: Entries, *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of (name or ZipInfo, content) pairs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of these tests need duplicate names
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def judged_alike(archive: Path, content: bytes, rules: ArchiveRules) -> bytes:
    """Return the digest of an archive; with hashes of its stream, cut anywhere, the answer is the same."""
    outcomes: list[bytes | errors.ArchiveRefused] = []
    for piece in (None, 1 << 20, 7):
        streamed = StreamedEntries(rules) if piece else None
        for start in range(0, len(content), piece or len(content) or 1):
            if streamed and piece:
                streamed.feed(content[start : start + piece])
        try:
            outcomes.append(archive_digest(archive, rules, streamed))
        except errors.ArchiveRefused as refused:
            outcomes.append(refused)
    told = [each if isinstance(each, bytes) else (type(each), each.message) for each in outcomes]
    assert told[0] == told[1] == told[2]
    if isinstance(outcomes[0], bytes):
        return outcomes[0]
    raise outcomes[0]


@pytest.fixture
def digest(tmp_path: Path) -> Digest:
    """Return a function that returns the digest of an archive and checks that nothing was written."""

    def run(content: bytes, rules: ArchiveRules = RULES) -> bytes:
        archive = tmp_path / "in.zip"
        archive.write_bytes(content)
        try:
            return judged_alike(archive, content, rules)
        finally:
            assert [path.name for path in tmp_path.iterdir()] == ["in.zip"]

    return run


def computed(path: str) -> tuple[str, str]:
    return "computed.json", json.dumps({"deterministic-output-path": path})


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_usual_result_has_a_digest(digest: Digest, method: int) -> None:
    content = packed(
        [
            computed("/iexec_out/sub/a.txt"),
            ("sub/", ""),
            ("sub/a.txt", "a" * 5000),
            ("empty", ""),
            ("ünï.txt", "u"),
        ],
        method=method,
    )
    assert digest(content) == hashlib.sha256(b"a" * 5000).digest()


def test_the_digest_of_a_folder_covers_its_direct_files(digest: Digest) -> None:
    content = packed([computed("/iexec_out/d"), ("d/b", "b"), ("d/a", "a"), ("d/sub/c", "c")])
    assert digest(content) == keccak(hashlib.sha256(b"a").digest() + hashlib.sha256(b"b").digest())


@pytest.mark.parametrize(
    "entries",
    [
        [("r", "x")],
        [("computed.json", "")],
        [("computed.json/", "")],
        [("computed.json", "[]")],
        [("computed.json", '{"a": 1}'.encode("utf-16"))],
        [("computed.json", "[" * 99_000)],
        [("computed.json", " " * (1 << 20) + " ")],
        [("computed.json", '{"deterministic-output-path": "/iexec_out/\\ud800"}')],
        [computed("/etc/passwd")],
        [computed("/iexec_out/none")],
        [computed("/iexec_out/../r"), ("r", "x")],
        [computed("/iexec_out/empty"), ("empty/", "")],
    ],
    ids=[
        "computed-odd: missing",
        "computed-odd: empty",
        "computed-odd: a folder",
        "computed-odd: a list",
        "computed-odd: UTF-16",
        "computed-deep",
        "computed-huge",
        "computed-odd: a lone surrogate",
        "computed-odd: a path outside",
        "computed-odd: a path to nothing",
        "computed-odd: a path with ..",
        "computed-odd: an empty folder",
    ],
)
def test_an_archive_without_a_digest_is_refused(digest: Digest, entries: Any) -> None:
    with pytest.raises(errors.ArchiveWithoutDigest) as caught:
        digest(packed(entries), ArchiveRules())
    assert caught.value.details["cause"]


BAD_NAMES = [
    *(
        "../evil",
        "a/../../evil",
        "/etc/evil",
        "..",
        "a/..",
        "..\\evil",
        "C:/evil",
        "C:\\evil",
        ".",
        "./",
        "//",
        "a\0b",
    ),
    "x" * 256,
    "/".join(["d" * 200] * 12),
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_unsafe_and_impossible_names_are_refused(digest: Digest, name: Any) -> None:
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    with pytest.raises(errors.ArchiveUnsafePath):
        digest(packed([COMPUTED, (info, "x")]))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_are_refused(digest: Digest, kind: Any) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (kind | 0o777) << 16
    with pytest.raises(errors.ArchiveSpecialFile):
        digest(packed([COMPUTED, (info, "/etc/passwd")]))


@pytest.mark.parametrize(
    "names", [("a", "a"), ("a", "./a"), ("a/b", "a"), ("a", "a/b"), ("d/", "d/"), ("a//b", "a/b")]
)
def test_two_entries_for_one_place_are_refused(digest: Digest, names: Any) -> None:
    with pytest.raises(errors.ArchiveDuplicateName):
        digest(packed([COMPUTED, *((name, "") for name in names)]))


@pytest.mark.parametrize("files", [1, 2, 50])
def test_too_many_bytes_are_refused_before_unpacking(digest: Digest, files: Any) -> None:
    each = b"\0" * (RULES.max_unpacked_bytes // files + 1)
    with pytest.raises(errors.ArchiveBomb):
        digest(packed([COMPUTED, *((str(number), each) for number in range(files))]))


def test_an_entry_with_a_false_size_is_refused(digest: Digest) -> None:
    content = packed([COMPUTED, ("zeros", b"\0" * (4 * RULES.max_unpacked_bytes))])
    honest, lie = struct.pack("<L", 4 * RULES.max_unpacked_bytes), struct.pack("<L", 10)
    assert honest in content
    with pytest.raises(errors.ArchiveBroken):
        digest(content.replace(honest, lie))


def test_too_many_entries_are_refused(digest: Digest) -> None:
    with pytest.raises(errors.ArchiveBomb):
        digest(packed([COMPUTED, *((str(number), "") for number in range(RULES.max_entries))]))


def test_a_huge_central_directory_is_not_read_into_memory(digest: Digest) -> None:
    good = packed([("a", "a")])
    end = good.rindex(b"PK\5\6")
    # A central directory of 64 MiB, declared and present.
    padding = b"\0" * (64 << 20)
    record = bytearray(good[end:])
    struct.pack_into("<L", record, 12, len(padding))
    with pytest.raises(errors.ArchiveBomb):
        digest(good[:end] + padding + bytes(record))


def test_a_central_directory_of_tiny_entries_needs_little_memory(digest: Digest) -> None:
    """zipfile turns each entry of a few bytes into an object of hundreds."""
    good = packed([("a", "a")])
    directory, end = good.index(b"PK\1\2"), good.rindex(b"PK\5\6")
    table = good[directory:end] * 300_000
    record = bytearray(good[end:])
    struct.pack_into("<L", record, 12, len(table))
    content = good[:directory] + table + bytes(record)
    tracemalloc.start()
    try:
        with pytest.raises(errors.ArchiveBomb):
            digest(content)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def test_overlapping_entries_are_refused(digest: Digest) -> None:
    """Entries that share their compressed bytes make a small archive a bomb."""
    content = packed([COMPUTED, ("first", b"\0" * 1000)])
    directory, end = content.index(b"PK\1\2"), content.rindex(b"PK\5\6")
    first = content.rindex(b"PK\1\2")
    table = content[directory:end] + content[first:end].replace(b"first", b"other")
    record = bytearray(content[end:])
    struct.pack_into("<HHLL", record, 8, 3, 3, len(table), directory)
    with pytest.raises(errors.ArchiveBroken):
        digest(content[:directory] + table + bytes(record))


def test_encrypted_entries_are_refused(digest: Digest) -> None:
    content = bytearray(packed([("a", "a")]))
    content[content.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(errors.ArchiveUnsupported):
        digest(bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_refused(digest: Digest, method: Any) -> None:
    with pytest.raises(errors.ArchiveUnsupported):
        digest(packed([("a", "a" * 1000)], method=method))


def test_a_file_that_is_no_zip_is_refused(digest: Digest) -> None:
    with pytest.raises(errors.ArchiveBroken):
        digest(b"not a zip at all")


def test_a_truncated_archive_is_refused(digest: Digest) -> None:
    with pytest.raises(errors.ArchiveBroken):
        digest(packed([("a", "a" * 1000), ("b", "b")])[:-30])


def test_damaged_content_is_refused(digest: Digest) -> None:
    content = bytearray(packed([COMPUTED, ("a", b"x" * 256)], method=zipfile.ZIP_STORED))
    content[content.index(b"x" * 256) + 100] ^= 0xFF
    with pytest.raises(errors.ArchiveBroken):
        digest(bytes(content))


VALID = packed(
    [("computed.json", '{"deterministic-output-path": "/iexec_out/a"}'), ("d/a", "a" * 300), ("b", "b")]
)


@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_damage_is_either_harmless_or_refused(tmp_path_factory: Any, changes: Any) -> None:
    content = bytearray(VALID)
    for position, value in changes:
        content[position] = value
    folder: Path = tmp_path_factory.mktemp("damaged")
    (folder / "in.zip").write_bytes(content)
    with contextlib.suppress(errors.ArchiveRefused):
        archive_digest(folder / "in.zip", RULES)
    assert [path.name for path in folder.iterdir()] == ["in.zip"]
