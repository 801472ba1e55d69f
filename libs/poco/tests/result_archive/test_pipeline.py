"""Large files are packed and hashed in threads, and the bytes do not tell in how many."""

import hashlib
import os
import random
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES
from workerpool_poco.result_archive.pipeline import AtOnce, Deflater, EarlySync, Sha256, Threads
from workerpool_poco.result_archive.zip_writing import ArchiveWriter

CHUNK_BYTES = 200_000
WORDS = random.Random(11).choices([b"one", b"two", b"three", b"\n"], k=400_000)
TEXT = b" ".join(WORDS)


def chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]


def packed(content: Iterator[bytes], executor: Executor, max_pending: int) -> bytes:
    deflater = Deflater(executor, max_pending)
    parts = [deflater.compress(chunk) for chunk in content]
    return b"".join([*parts, deflater.flush()])


def unpacked(stream: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(stream)
    assert inflater.eof
    assert not inflater.unused_data
    return content


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("max_pending", [0, 1, 100])
def test_the_packed_bytes_do_not_depend_on_the_threads(threads: int, max_pending: int) -> None:
    alone = packed(chunks(TEXT), AtOnce(), 0)
    with ThreadPoolExecutor(threads) as executor:
        assert packed(chunks(TEXT), executor, max_pending) == alone
    assert unpacked(alone) == TEXT


def test_chunks_pack_almost_as_small_as_one_stream() -> None:
    assert len(packed(chunks(TEXT), AtOnce(), 0)) < 1.02 * len(packed(iter([TEXT]), AtOnce(), 0))


@given(st.lists(st.binary(max_size=50)))
def test_any_chunks_are_one_ordinary_stream(content: list[bytes]) -> None:
    assert unpacked(packed(iter(content), AtOnce(), 0)) == b"".join(content)


@pytest.mark.parametrize("max_pending", [0, 3])
def test_hashes_chunks_in_their_order(max_pending: int) -> None:
    with Threads() as threads:
        digest = Sha256(threads.hashing, max_pending)
        for chunk in chunks(TEXT):
            digest.update(chunk)
        assert digest.digest() == hashlib.sha256(TEXT).digest()


def test_the_file_reaches_the_disk_as_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    with (tmp_path / "growing").open("wb") as file:
        early = EarlySync(file.fileno())
        for mebibytes in range(1, 101):
            early.written(mebibytes << 20)
            early.wait()
    assert len(synced) == 3, "every 32 MiB"


def test_a_disk_that_fails_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError("the disk failed")

    monkeypatch.setattr(os, "fdatasync", fail)
    with (tmp_path / "growing").open("wb") as file:
        early = EarlySync(file.fileno())
        early.written(1 << 30)
        with pytest.raises(OSError, match="the disk failed"):
            early.wait()


def test_a_disk_that_hangs_delays_no_cancellation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(os, "fdatasync", lambda _: answers.wait(PATIENCE_S))
    content = random.Random(12).randbytes(1 << 20)
    try:
        with (
            pytest.raises(InterruptedError),
            ArchiveWriter(tmp_path / "out.zip", DEFAULT_RULES, lambda: None) as archive,
        ):
            archive.add_file("noise", 40 << 20, iter([content] * 40))
            raise InterruptedError
        assert not answers.is_set()
        assert list(tmp_path.iterdir()) == []
    finally:
        answers.set()
