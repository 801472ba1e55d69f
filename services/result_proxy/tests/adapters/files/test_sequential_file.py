"""A file that is written past the page cache, in parts of any size."""

import errno
import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workerpool_result_proxy.adapters.files.sequential_file import SequentialFile

CONTENT = random.Random(1).randbytes((24 << 20) + 1_234)


@pytest.fixture(params=["direct writes", "no direct writes"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "no direct writes":
        really_open = os.open

        def refusing(path: Path, flags: int, *mode: Any) -> int:
            if flags & os.O_DIRECT:
                raise OSError(errno.EINVAL, "this file system has no direct writes")
            return really_open(path, flags, *mode)

        monkeypatch.setattr(os, "open", refusing)
    return tmp_path / "file"


def parts() -> Iterator[bytes]:
    position = 0
    for size in itertools.cycle([1 << 20, 1, 700_001, 5 << 20, 4_096]):
        yield CONTENT[position : position + size]
        position += size
        if position >= len(CONTENT):
            return


def test_parts_of_any_size_make_one_file(path: Path) -> None:
    file = SequentialFile(path)
    for part in parts():
        file.write(part)
    file.flush()
    file.close()
    assert path.read_bytes() == CONTENT


def test_more_may_follow_what_a_reader_found(path: Path) -> None:
    file, written = SequentialFile(path), 0
    for part in parts():
        file.write(part)
        file.flush()
        written += len(part)
        assert path.read_bytes() == CONTENT[:written]
    file.close()


def test_an_error_of_the_disk_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int, _data: Any, _position: int) -> int:
        raise OSError(errno.ENOSPC, "full")

    file = SequentialFile(path)
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="full"):
        file.write(CONTENT)
    file.close()
