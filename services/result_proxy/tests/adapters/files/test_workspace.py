"""Temporary files: their space, their removal, their threads."""

import asyncio
import contextlib
import errno
import hashlib
import itertools
import os
import random
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from patience import PATIENCE_S
from workerpool_kit.process import StartupError
from workerpool_kit.settings.environment import load
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.result_archive.rules import ArchiveRules
from workerpool_result_proxy import startup
from workerpool_result_proxy.adapters.files.full_disk import full_disk_refused
from workerpool_result_proxy.adapters.files.incoming_archive import IncomingFile
from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.adapters.files.workspace import TemporaryFolder
from workerpool_result_proxy.domain.results import Declaration
from workerpool_result_proxy.errors import ArchiveBroken, SizeMismatch, StorageFull
from workerpool_result_proxy.settings import ResultProxySettings

CONTENT = b"content"
DECLARED = Declaration(TaskId("0x" + "01" * 32), len(CONTENT), hashlib.sha256(CONTENT).digest(), bytes(32))
RULES = ArchiveRules(max_unpacked_bytes=1 << 20)


@pytest.fixture
def threads() -> Iterator[FileThreads]:
    threads = FileThreads()
    yield threads
    threads.close()


def opened(parent: Path, threads: FileThreads) -> TemporaryFolder:
    workspace = TemporaryFolder(parent, threads, RULES)
    workspace.open()
    return workspace


async def test_an_upload_has_a_file_of_its_own_that_is_removed(tmp_path: Path, threads: FileThreads) -> None:
    workspace = opened(tmp_path / "new", threads)
    first, second = workspace.create(DECLARED), workspace.create(DECLARED)
    assert first.folder != second.folder
    await first.append(CONTENT)
    await first.finish()
    assert b"".join([piece async for piece in first.content()]) == CONTENT
    for archive in (first, second):
        await workspace.remove(archive)
        assert not archive.folder.exists()
    workspace.close()
    assert not list((tmp_path / "new").glob("run-*"))


def open_files(folder: Path) -> list[str]:
    """Return the files below a folder that this process holds open, removed ones included."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(os.readlink(descriptor))
    return [name for name in found if name.startswith(str(folder))]


async def test_the_bytes_of_a_removed_file_are_freed_soon(tmp_path: Path, threads: FileThreads) -> None:
    workspace = opened(tmp_path, threads)
    archive = workspace.create(DECLARED)
    await archive.append(CONTENT)
    await workspace.remove(archive)
    async with asyncio.timeout(PATIENCE_S):
        while open_files(archive.folder):
            await asyncio.sleep(0.01)
    workspace.close()


async def test_a_new_process_removes_only_the_files_of_dead_ones(
    tmp_path: Path, threads: FileThreads
) -> None:
    alive = opened(tmp_path, threads)
    (tmp_path / "run-dead").mkdir()
    (tmp_path / "run-dead" / "lock").touch()
    (tmp_path / "run-without-lock").mkdir()
    second = TemporaryFolder(tmp_path, threads, RULES)
    assert sorted(second.open()) == ["dead", "without-lock"]
    assert len(list(tmp_path.glob("run-*"))) == 2
    archive = alive.create(DECLARED)
    await archive.append(CONTENT)
    await alive.remove(archive)
    for each in (alive, second):
        each.close()


def test_an_unusable_folder_ends_the_start(tmp_path: Path, threads: FileThreads) -> None:
    (tmp_path / "file").touch()
    settings = load(
        ResultProxySettings,
        {
            "IEXEC_CHAIN_ID": "1",
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS": "http://localhost:1",
            "IEXEC_HUB_ADDRESS": "0x" + "11" * 20,
            "IEXEC_RESULT_PROXY_TEMP_DIR": str(tmp_path / "file" / "folder"),
        },
    )
    with pytest.raises(StartupError, match="IEXEC_RESULT_PROXY_TEMP_DIR"):
        startup.open_workspace(settings, threads)


async def test_the_free_bytes_are_those_of_the_volume(tmp_path: Path, threads: FileThreads) -> None:
    workspace = opened(tmp_path, threads)
    assert 0 < await workspace.free_bytes() <= shutil.disk_usage(tmp_path).free + (64 << 20)
    workspace.close()


async def test_an_archive_of_which_a_write_failed_is_worth_nothing(
    tmp_path: Path, threads: FileThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its threads write and hash at the same time, so that its hash may have more bytes than its file."""
    archive = IncomingFile(tmp_path, DECLARED, threads, RULES)
    await archive.append(CONTENT[:3])
    await archive.settle()
    assert archive.received == 3

    def failing(_file: int, _data: Any, _position: int) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "pwrite", failing)
    await archive.append(CONTENT[3:])
    await archive.settle()
    monkeypatch.undo()
    assert archive.received == 0
    with pytest.raises(StorageFull):
        await archive.finish()
    archive.close()


async def test_a_full_disk_refuses_the_bytes_that_follow(
    tmp_path: Path, threads: FileThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = bytes(1 << 20)
    archive = IncomingFile(tmp_path, replace(DECLARED, size=100 << 20), threads, RULES)
    with monkeypatch.context() as patched, pytest.raises(StorageFull):
        patched.setattr(os, "pwrite", Mock(side_effect=OSError(errno.ENOSPC, "full")))
        for _ in range(16):
            await archive.append(piece)
    await archive.settle()
    archive.close()


async def test_parts_of_any_size_make_the_same_file(tmp_path: Path, threads: FileThreads) -> None:
    """The start of a file goes through the page cache, the rest past it where the file system allows it."""
    content = random.Random(1).randbytes(24 << 20)
    declared = replace(DECLARED, size=len(content), sha256=hashlib.sha256(content).digest())
    archive = IncomingFile(tmp_path, declared, threads, RULES)
    position, sizes = 0, itertools.cycle([1 << 20, 1, 700_001, 5 << 20, 4_096])
    while position < len(content):
        part = content[position : position + next(sizes)]
        await archive.append(part)
        position += len(part)
        if position % 2:
            # A stream that broke here continues.
            await archive.settle()
            assert archive.received == position
            assert (tmp_path / "result.zip").read_bytes() == content[:position]
    assert b"".join([piece async for piece in archive.content()]) == content
    await archive.finish()
    archive.close()


async def test_a_file_that_is_no_archive_has_no_digest(tmp_path: Path, threads: FileThreads) -> None:
    archive = IncomingFile(tmp_path, DECLARED, threads, RULES)
    await archive.append(CONTENT)
    await archive.finish()
    with pytest.raises(ArchiveBroken):
        await archive.result_digest()
    archive.close()


async def test_an_incomplete_file_is_refused(tmp_path: Path, threads: FileThreads) -> None:
    archive = IncomingFile(tmp_path, DECLARED, threads, RULES)
    await archive.append(CONTENT[:-1])
    with pytest.raises(SizeMismatch):
        await archive.finish()
    archive.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_a_refusal_that_passes(number: int) -> None:
    with pytest.raises(StorageFull, match="try again later"), full_disk_refused():
        raise OSError(number, "full")


def test_another_error_of_the_disk_is_not_hidden() -> None:
    with pytest.raises(OSError, match="broken"), full_disk_refused():
        raise OSError(errno.EIO, "broken")


async def test_a_write_to_a_full_disk_is_refused(threads: FileThreads, tmp_path: Path) -> None:
    (tmp_path / "result.zip").symlink_to("/dev/full")
    archive = IncomingFile(tmp_path, DECLARED, threads, RULES)
    await archive.append(CONTENT)
    with pytest.raises(StorageFull):
        await archive.finish()
    archive.close()


async def test_a_cancelled_caller_waits_for_its_thread(threads: FileThreads) -> None:
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    ended: list[bool] = []

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        ended.append(True)

    caller = asyncio.create_task(threads.run(work))
    await begun.wait()
    caller.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended == [True]


async def test_archives_that_are_read_do_not_delay_the_writes_of_uploads(threads: FileThreads) -> None:
    release = threading.Event()
    reading = [asyncio.create_task(threads.run_long(release.wait, 20)) for _ in range(4)]
    async with asyncio.timeout(PATIENCE_S):
        assert await threads.run(lambda: "written") == "written"
    release.set()
    assert await asyncio.gather(*reading) == [True] * 4
