"""Archives are deterministic, complete or absent, and hold linked content once read."""

import hashlib
import random
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, Rule, RuleBroken
from workerpool_poco.result_archive import zip_writing
from workerpool_poco.result_archive.zip_writing import CHUNK_BYTES, ArchiveWriter

NOISE = random.Random(10).randbytes(3 * CHUNK_BYTES + 7)


def writer(target: Path, **rules: int) -> ArchiveWriter:
    return ArchiveWriter(target, replace(DEFAULT_RULES, **rules), lambda: None)


def chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]


@pytest.mark.parametrize(
    "content",
    [b"", b"x", NOISE, b"\0" * len(NOISE), b"a line\n" * 700_000],
    ids=["empty", "byte", "noise", "zeros", "text"],
)
def test_a_copy_has_the_content_of_its_original(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "out.zip"
    with writer(target) as archive:
        archive.add_folder("d")
        digest = archive.add_file("d/original", len(content), chunks(content))
        archive.add_copy("copy", "d/original")
        archive.add_copy("copy of the copy", "copy")
    assert digest == hashlib.sha256(content).digest()
    with zipfile.ZipFile(target) as found:
        assert found.testzip() is None
        assert found.namelist() == ["d/", "d/original", "copy", "copy of the copy"]
        assert found.read("copy") == found.read("copy of the copy") == content


def test_what_does_not_shrink_is_stored_as_it_is(tmp_path: Path) -> None:
    target = tmp_path / "out.zip"
    text = b"line of a log\n" * 100_000
    with writer(target) as archive:
        archive.add_file("noise", len(NOISE), chunks(NOISE))
        archive.add_file("text", len(text), chunks(text))
        archive.add_file("noise after text", len(text + NOISE), chunks(text + NOISE))
    with zipfile.ZipFile(target) as found:
        entries = {entry.filename: entry for entry in found.infolist()}
        assert found.testzip() is None
        assert found.read("noise after text") == text + NOISE
    assert entries["noise"].compress_type == zipfile.ZIP_STORED
    assert entries["noise"].compress_size == len(NOISE)
    assert entries["text"].compress_type == zipfile.ZIP_DEFLATED
    assert entries["text"].compress_size < len(text) / 20


def test_entries_that_may_need_zip64_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_writing, "_ZIP64_FROM_BYTES", 100)
    target = tmp_path / "out.zip"
    with writer(target) as archive:
        archive.add_file("noise", len(NOISE), chunks(NOISE))
        archive.add_copy("copy", "noise")
    with zipfile.ZipFile(target) as found:
        assert found.read("copy") == found.read("noise") == NOISE


def test_an_archive_that_grows_too_large_is_refused_and_removed(tmp_path: Path) -> None:
    with (
        pytest.raises(RuleBroken, match="exceeds 1000000 bytes") as caught,
        writer(tmp_path / "out.zip", max_archive_bytes=1_000_000) as archive,
    ):
        archive.add_file("noise", len(NOISE), chunks(NOISE))
    assert caught.value.rule is Rule.SIZE
    assert list(tmp_path.iterdir()) == []


def test_the_table_of_contents_counts_towards_the_size(tmp_path: Path) -> None:
    with pytest.raises(RuleBroken), writer(tmp_path / "out.zip", max_archive_bytes=100) as archive:
        archive.add_file("a" * 31, 1, iter([b"x"]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("declared", [0, 2])
def test_content_of_another_size_is_an_error(tmp_path: Path, declared: int) -> None:
    with pytest.raises(OSError, match="while it was read"), writer(tmp_path / "out.zip") as archive:
        archive.add_file("a", declared, iter([b"x"]))
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_archive_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "out.zip"
    target.write_bytes(b"earlier")
    with pytest.raises(OSError, match="shrank"), writer(target) as archive:
        archive.add_file("a", 5, iter([b"x"]))
    assert target.read_bytes() == b"earlier"
