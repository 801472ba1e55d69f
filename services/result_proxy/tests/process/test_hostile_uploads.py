"""Hostile archives of a worker with a revealed contribution: clear refusals, bounded memory, no file stays."""

import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import grpc
import pytest
from small_volumes import MountVolume

MIB = 1 << 20
COMPUTED = b'{"deterministic-output-path": "/iexec_out/r.txt"}'


def archive(*more: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of a result and more entries."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as packed:
        for name, content in (("computed.json", COMPUTED), ("r.txt", b"a result"), *more):
            packed.writestr(name, content)
    return buffer.getvalue()


def a_bomb() -> bytes:
    """Return 512 MiB of zeros in a few megabytes."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("computed.json", COMPUTED)
        packed.writestr("r.txt", b"a result")
        with packed.open(zipfile.ZipInfo("zeros"), "w", force_zip64=True) as entry:
            for _ in range(32):
                entry.write(bytes(16 * MIB))
    return buffer.getvalue()


def a_bomb_with_a_false_size() -> bytes:
    """Return 64 MiB of zeros that the archive declares as 10 bytes."""
    content = archive(("zeros", bytes(64 * MIB)))
    return content.replace(struct.pack("<L", 64 * MIB), struct.pack("<L", 10))


def many_tiny_entries() -> bytes:
    """Return more entries than the limit."""
    return archive(*((f"{number}", b"") for number in range(20_001)))


def a_forged_directory() -> bytes:
    """Return a central directory of 300,000 repeated entries."""
    good = archive()
    directory, end = good.index(b"PK\1\2"), good.rindex(b"PK\5\6")
    table = good[directory:end] * 150_000
    record = bytearray(good[end:])
    struct.pack_into("<L", record, 12, len(table))
    return good[:directory] + table + bytes(record)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a bomb": (a_bomb, "ARCHIVE_BOMB"),
    "a bomb with a false size": (a_bomb_with_a_false_size, "ARCHIVE_BROKEN"),
    "many tiny entries": (many_tiny_entries, "ARCHIVE_BOMB"),
    "a forged directory": (a_forged_directory, "ARCHIVE_BOMB"),
    "archive-name-32": (lambda: archive(("a" * 32, b"")), "ARCHIVE_UNSAFE_PATH"),
    "archive-deep-path": (lambda: archive(("d/" * 65 + "f", b"")), "ARCHIVE_UNSAFE_PATH"),
    "a control character": (lambda: archive(("a\x1bb", b"")), "ARCHIVE_UNSAFE_PATH"),
    "computed-huge": (lambda: archive(("computed.json/x", b"")), "ARCHIVE_DUPLICATE_NAME"),
}


@pytest.fixture(scope="module")
def result(on_chain: Any) -> Any:
    """Return a revealed task; nothing of this module is ever stored for it."""
    return on_chain.revealed()


@pytest.mark.parametrize("case", HOSTILE)
async def test_hostile_archives_are_refused_in_bounded_memory(
    own_proxy: Any, result: Any, refused: Any, case: str
) -> None:
    proxy = own_proxy(IEXEC_RESULT_PROXY_MAX_UNPACKED_SIZE=str(256 * MIB))
    make, reason = HOSTILE[case]
    content = make()
    before = proxy.memory()
    async with refused(reason) as answer:
        await proxy.upload_task(result, content)
    assert answer.code is grpc.StatusCode.INVALID_ARGUMENT
    assert proxy.memory() - before < 64 * MIB
    assert not proxy.temporary_files()


async def test_a_full_disk_is_a_refusal_that_a_worker_retries(
    own_proxy: Any, on_chain: Any, small_volume: MountVolume, refused: Any
) -> None:
    volume = small_volume(8 * MIB)
    proxy = own_proxy(IEXEC_RESULT_PROXY_TEMP_DIR=str(volume.path), IEXEC_RESULT_PROXY_MIN_FREE="0")
    large = on_chain.revealed(os.urandom(16 * MIB))
    async with refused("STORAGE_FULL") as answer:
        await proxy.upload_task(large)
    assert answer.code is grpc.StatusCode.UNAVAILABLE
    assert not proxy.temporary_files()
    await proxy.upload_task(on_chain.revealed())
    volume.fill()
    small = on_chain.revealed(b"another")
    async with refused("STORAGE_FULL"):
        await proxy.upload_task(replace(small, archive=small.archive + b"x" * 1000), small.archive)
    volume.free()
    await proxy.upload_task(small)
