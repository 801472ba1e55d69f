"""The lock of a worker's folder, and who holds it."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from workerpool_worker.adapters.files.worker_lock import (
    Holder,
    holder_of,
    started_at,
    take_lock,
    write_holder,
)


def this_process(http_port: int) -> Holder:
    return Holder(os.getpid(), http_port, started_at(os.getpid()))


def test_the_holder_is_known_until_it_ends(tmp_path: Path) -> None:
    assert holder_of(tmp_path) is None
    lock = take_lock(tmp_path, 13100)
    assert lock is not None
    assert holder_of(tmp_path) == this_process(13100)
    assert take_lock(tmp_path) is None
    lock.close()
    assert holder_of(tmp_path) is None
    again = take_lock(tmp_path)
    assert again is not None
    assert holder_of(tmp_path) == this_process(0)
    again.close()


@pytest.mark.parametrize("content", [None, "", "7 13100", "[]", "{}", '{"command": false, "pid": null}'])
def test_a_holder_of_unknown_process_has_no_pid(tmp_path: Path, content: str | None) -> None:
    lock = take_lock(tmp_path)
    assert lock is not None
    if content is None:
        (tmp_path / "holder.json").unlink()
    else:
        (tmp_path / "holder.json").write_text(content)
    assert holder_of(tmp_path) == Holder(0, 0)
    assert not Holder(0, 0).is_here
    lock.close()


def test_a_process_is_the_holder_only_if_it_started_when_the_holder_did(tmp_path: Path) -> None:
    assert this_process(0).is_here
    assert not Holder(os.getpid(), 0, started_at(os.getpid()) + 1).is_here, "another process with its number"
    assert not Holder(os.getpid(), 0).is_here
    ended = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = Holder(ended.pid, 0, started_at(ended.pid))
    assert holder.is_here
    ended.communicate(b"\n")
    assert not holder.is_here


def test_a_process_may_have_any_name(tmp_path: Path) -> None:
    program = tmp_path / "a) 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as process:
        try:
            assert Holder(process.pid, 0, started_at(process.pid)).is_here
        finally:
            process.kill()


def test_a_reader_never_sees_a_part_of_what_is_written(tmp_path: Path) -> None:
    lock = take_lock(tmp_path, 1)
    assert lock is not None
    seen, ended = set(), threading.Event()

    def write() -> None:
        for number in range(400):
            write_holder(tmp_path, os.getpid(), 1 + number % 2)
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not ended.is_set():
        seen.add(holder_of(tmp_path))
    writer.join()
    lock.close()
    assert seen <= {this_process(1), this_process(2)}


def test_a_command_takes_the_lock_and_is_no_worker(tmp_path: Path) -> None:
    lock = take_lock(tmp_path, command=True)
    assert lock is not None
    assert holder_of(tmp_path) is None
    assert take_lock(tmp_path, 13100) is None
    lock.close()
    worker = take_lock(tmp_path, 13100)
    assert worker is not None
    assert holder_of(tmp_path) == this_process(13100)
    worker.close()
