"""The hash that an upload declares."""

import asyncio
import hashlib
import threading
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_worker.adapters.files import archive as archive_module
from workerpool_worker.adapters.files.archive import ArchiveHashes, file_sha256


def test_the_hash_and_size_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    assert file_sha256(path) == ("0x" + hashlib.sha256(b"x" * 3_000_000).hexdigest(), 3_000_000)


async def test_an_archive_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, hashed = tmp_path / "archive", list[Path]()

    def counted(archive: Path) -> tuple[str, int]:
        hashed.append(archive)
        return file_sha256(archive)

    monkeypatch.setattr(archive_module, "file_sha256", counted)
    path.write_bytes(b"zip")
    hashes = ArchiveHashes()
    found = await asyncio.gather(hashes.of(path), hashes.of(path))
    assert [*found, await hashes.of(path)] == [file_sha256(path)] * 3
    assert hashed == [path]


async def test_another_archive_at_the_same_path_has_its_own_hash(tmp_path: Path) -> None:
    path, new = tmp_path / "archive", tmp_path / "new"
    path.write_bytes(b"one")
    hashes = ArchiveHashes()
    first = await hashes.of(path)
    new.write_bytes(b"two")
    new.replace(path)
    assert await hashes.of(path) == file_sha256(path) != first


async def test_a_caller_that_is_cancelled_leaves_the_hash_to_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, begun, go = tmp_path / "archive", threading.Event(), threading.Event()

    def slow(archive: Path) -> tuple[str, int]:
        assert not begun.is_set(), "it is hashed a second time"
        begun.set()
        go.wait(PATIENCE_S)
        return "0x00", 3

    monkeypatch.setattr(archive_module, "file_sha256", slow)
    path.write_bytes(b"zip")
    hashes = ArchiveHashes()
    first = asyncio.create_task(hashes.of(path))
    await asyncio.to_thread(begun.wait, PATIENCE_S)
    first.cancel()
    await asyncio.wait({first})
    go.set()
    assert await hashes.of(path) == ("0x00", 3)


async def test_a_file_that_cannot_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, failures = tmp_path / "archive", [OSError(5, "Input/output error")]

    def failing(archive: Path) -> tuple[str, int]:
        if failures:
            raise failures.pop()
        return file_sha256(archive)

    monkeypatch.setattr(archive_module, "file_sha256", failing)
    path.write_bytes(b"zip")
    hashes = ArchiveHashes()
    with pytest.raises(OSError, match="Input/output"):
        await hashes.of(path)
    assert await hashes.of(path) == file_sha256(path)
    with pytest.raises(FileNotFoundError):
        await hashes.of(tmp_path / "absent")


async def test_only_the_newest_hashes_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_MOST", 2)
    hashes = ArchiveHashes()
    for name in "abc":
        (tmp_path / name).write_bytes(name.encode())
        await hashes.of(tmp_path / name)
    assert len(hashes._hashes) == 2
