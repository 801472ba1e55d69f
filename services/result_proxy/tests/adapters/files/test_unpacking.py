"""Archives that attack the code that unpacks them, and archives that do not."""

import contextlib
import io
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
from workerpool_result_proxy import errors
from workerpool_result_proxy.adapters.files.unpacking import unpack
from workerpool_result_proxy.domain.archive_rules import ArchiveLimits

Entries = Iterable[tuple[str | zipfile.ZipInfo, str | bytes]]
LIMITS = ArchiveLimits(max_bytes=1 << 20, max_entries=100)


def packed(entries: Entries, *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of (name or ZipInfo, content) pairs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of these tests need duplicate names
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[..., dict[str, bytes]]:
    """Return a function that unpacks bytes and returns the files."""

    def run(content: bytes, limits: ArchiveLimits = LIMITS) -> dict[str, bytes]:
        archive, out = tmp_path / "in.zip", tmp_path / "deep" / "out"
        archive.write_bytes(content)
        out.mkdir(parents=True)
        try:
            unpack(archive, out, limits)
            return {
                str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()
            }
        finally:
            everything = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
            assert everything == {"in.zip", "deep"}, "something was written outside"
            assert not any(path.is_symlink() for path in tmp_path.rglob("*"))

    return run


def test_a_usual_result_is_unpacked(unpacked: Any) -> None:
    content = packed(
        [("computed.json", "{}"), ("sub/", ""), ("sub/a.txt", "a"), ("empty", ""), ("ünï.txt", "u")]
    )
    assert unpacked(content) == {"computed.json": b"{}", "sub/a.txt": b"a", "empty": b"", "ünï.txt": b"u"}


def test_stored_entries_are_unpacked(unpacked: Any) -> None:
    assert unpacked(packed([("a", "x" * 5000)], method=zipfile.ZIP_STORED)) == {"a": b"x" * 5000}


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
def test_unsafe_and_impossible_names_are_refused(unpacked: Any, name: Any) -> None:
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    with pytest.raises(errors.ArchiveUnsafePath):
        unpacked(packed([(info, "x")]))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_are_refused(unpacked: Any, kind: Any) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (kind | 0o777) << 16
    with pytest.raises(errors.ArchiveSpecialFile):
        unpacked(packed([(info, "/etc/passwd")]))


@pytest.mark.parametrize(
    "names", [("a", "a"), ("a", "./a"), ("a/b", "a"), ("a", "a/b"), ("d/", "d/"), ("a//b", "a/b")]
)
def test_two_entries_for_one_place_are_refused(unpacked: Any, names: Any) -> None:
    with pytest.raises(errors.ArchiveDuplicateName):
        unpacked(packed([(name, "") for name in names]))


@pytest.mark.parametrize("files", [1, 2, 50])
def test_too_many_bytes_are_refused_before_unpacking(unpacked: Any, files: Any) -> None:
    each = b"\0" * (LIMITS.max_bytes // files + 1)
    with pytest.raises(errors.ArchiveBomb):
        unpacked(packed([(str(number), each) for number in range(files)]))


def test_an_entry_with_a_false_size_is_refused(unpacked: Any) -> None:
    content = packed([("zeros", b"\0" * (4 * LIMITS.max_bytes))])
    honest, lie = struct.pack("<L", 4 * LIMITS.max_bytes), struct.pack("<L", 10)
    assert honest in content
    with pytest.raises(errors.ArchiveRefused):
        unpacked(content.replace(honest, lie))


def test_too_many_entries_are_refused(unpacked: Any) -> None:
    with pytest.raises(errors.ArchiveBomb):
        unpacked(packed([(str(number), "") for number in range(LIMITS.max_entries + 1)]))


def test_a_huge_central_directory_is_not_read_into_memory(unpacked: Any) -> None:
    good = packed([("a", "a")])
    end = good.rindex(b"PK\5\6")
    # A central directory of 64 MiB, declared and present.
    padding = b"\0" * (64 << 20)
    record = bytearray(good[end:])
    struct.pack_into("<L", record, 12, len(padding))
    with pytest.raises(errors.ArchiveBomb):
        unpacked(good[:end] + padding + bytes(record))


def test_a_central_directory_of_tiny_entries_needs_little_memory(unpacked: Any) -> None:
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
            unpacked(content)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def test_overlapping_entries_are_refused(unpacked: Any) -> None:
    """Entries that share their compressed bytes make a small archive a bomb."""
    info = zipfile.ZipInfo("first")
    content = packed([(info, b"\0" * 1000)])
    directory, end = content.index(b"PK\1\2"), content.rindex(b"PK\5\6")
    entry = content[directory:end]
    record = bytearray(content[end:])
    struct.pack_into("<HHLL", record, 8, 2, 2, 2 * len(entry), directory)
    with pytest.raises(errors.ArchiveRefused):
        unpacked(content[:directory] + entry + entry.replace(b"first", b"other") + bytes(record))


def test_encrypted_entries_are_refused(unpacked: Any) -> None:
    content = bytearray(packed([("a", "a")]))
    content[content.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(errors.ArchiveUnsupported):
        unpacked(bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_refused(unpacked: Any, method: Any) -> None:
    with pytest.raises(errors.ArchiveUnsupported):
        unpacked(packed([("a", "a" * 1000)], method=method))


def test_a_file_that_is_no_zip_is_refused(unpacked: Any) -> None:
    with pytest.raises(errors.ArchiveBroken):
        unpacked(b"not a zip at all")


def test_a_truncated_archive_is_refused(unpacked: Any) -> None:
    with pytest.raises(errors.ArchiveBroken):
        unpacked(packed([("a", "a" * 1000), ("b", "b")])[:-30])


def test_damaged_content_is_refused(unpacked: Any) -> None:
    content = bytearray(packed([("a", bytes(range(256)))], method=zipfile.ZIP_STORED))
    content[100] ^= 0xFF
    with pytest.raises(errors.ArchiveBroken):
        unpacked(bytes(content))


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
    (folder / "out").mkdir()
    with contextlib.suppress(errors.ArchiveRefused):
        unpack(folder / "in.zip", folder / "out", LIMITS)
    assert sorted(path.name for path in folder.iterdir()) == ["in.zip", "out"]
