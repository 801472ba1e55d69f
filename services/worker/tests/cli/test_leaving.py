"""`poolworker drain` and `stop` beside a process that holds the lock as a worker does."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from workerpool_kit.settings.environment import load
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.adapters.files.stop_intent import take_return_within
from workerpool_worker.adapters.files.worker_lock import take_lock, write_holder
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.cli import leaving
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.errors import CommandRefused, WorkerNotRunning
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.harness.builders import TASK_ID
from services.worker.tests.harness.context import unexpected

HOLDER = """
import os, signal, sys, time
from pathlib import Path
from workerpool_worker.adapters.files.stop_intent import take_return_within
from workerpool_worker.adapters.files.worker_lock import take_lock, write_holder

folder, behaviour = Path(sys.argv[1]), sys.argv[2]
lock = take_lock(folder, 13100)

def end(number, frame):
    print(signal.Signals(number).name, take_return_within(folder, -1.0), flush=True)
    if behaviour == "ignore":
        return
    if behaviour == "restart" and (successor := os.fork()):
        write_holder(folder, successor, 13100)
        print(successor, flush=True)
    if behaviour != "restart" or successor:
        os._exit(0)

for number in (signal.SIGUSR1, signal.SIGTERM):
    signal.signal(number, end)
print("holds", flush=True)
while True:
    time.sleep(60)
"""
LIMIT_S = 60.0
"""Far more than a worker of these tests takes to end."""
NEVER = -1.0
"""Stands for an operator who said nothing about the next stop."""

MakeHolder = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def settings(tmp_path: Path) -> WorkerSettings:
    settings = load(
        WorkerSettings,
        {"POOL_ADDRESS": "0x" + "11" * 20, "IEXEC_WORKER_BASE_DIR": str(tmp_path), "IEXEC_WORKER_NAME": "w"},
    )
    settings.folder.mkdir()
    return settings


@pytest.fixture
def holder(settings: WorkerSettings) -> Iterator[MakeHolder]:
    """Start a process that holds the lock and does one of "end", "ignore", "restart" when it is signalled to stop."""
    started: list[subprocess.Popen[str]] = []

    def start(behaviour: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(settings.folder), behaviour], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def drain(settings: WorkerSettings, limit_s: float | None = LIMIT_S, say: leaving.Say = unexpected) -> None:
    leaving.drain(settings, limit_s=limit_s, say=say)


def stop(settings: WorkerSettings, return_within_s: float = 0.0, limit_s: float = LIMIT_S) -> None:
    leaving.stop(settings, return_within_s=return_within_s, limit_s=limit_s, say=unexpected)


def test_drain_sends_sigusr1_and_returns_when_the_worker_has_ended(
    settings: WorkerSettings, holder: MakeHolder
) -> None:
    worker = holder("end")
    drain(settings, None)
    assert worker.wait(LIMIT_S) == 0
    assert line_of(worker) == f"SIGUSR1 {NEVER}", "a drain says nothing about a return"


@pytest.mark.parametrize("seconds", [0.0, 900.0])
def test_stop_announces_the_return_before_it_sends_sigterm(
    settings: WorkerSettings, holder: MakeHolder, seconds: float
) -> None:
    worker = holder("end")
    stop(settings, seconds)
    assert worker.wait(LIMIT_S) == 0
    assert line_of(worker) == f"SIGTERM {seconds}"


@pytest.mark.parametrize("leave", [drain, stop])
def test_without_a_worker_nothing_is_done(
    settings: WorkerSettings, leave: Callable[[WorkerSettings], None]
) -> None:
    with pytest.raises(WorkerNotRunning, match=r"no worker runs in .*IEXEC_WORKER_BASE_DIR"):
        leave(settings)
    lock = take_lock(settings.folder, 13100)
    assert lock is not None
    lock.close()
    with pytest.raises(WorkerNotRunning):
        leave(settings)
    assert take_return_within(settings.folder, NEVER) == NEVER


@pytest.mark.parametrize("leave", [drain, stop])
def test_without_a_folder_no_worker_runs(
    settings: WorkerSettings, leave: Callable[[WorkerSettings], None]
) -> None:
    settings.folder.rmdir()
    with pytest.raises(WorkerNotRunning):
        leave(settings)
    assert not settings.folder.exists()


@pytest.mark.parametrize("leave", [drain, stop])
def test_a_command_that_holds_the_lock_is_no_worker_and_gets_no_signal(
    settings: WorkerSettings, leave: Callable[[WorkerSettings], None]
) -> None:
    """A signal would end this process, as it would end `poolworker stake` before its transaction is mined."""
    lock = take_lock(settings.folder, command=True)
    assert lock is not None
    with pytest.raises(WorkerNotRunning):
        leave(settings)
    lock.close()


def test_a_folder_that_is_a_file_is_reported(settings: WorkerSettings) -> None:
    settings.folder.rmdir()
    settings.folder.write_text("")
    with pytest.raises(
        CommandRefused, match="cannot be read: Not a directory; run the command as"
    ) as refused:
        drain(settings)
    assert not isinstance(refused.value, WorkerNotRunning)


def test_a_worker_of_an_older_version_gets_no_signal(settings: WorkerSettings) -> None:
    lock = take_lock(settings.folder)
    assert lock is not None
    (settings.folder / "holder.json").unlink()
    with pytest.raises(CommandRefused, match="older version; stop it with SIGTERM"):
        stop(settings)
    assert take_return_within(settings.folder, NEVER) == NEVER
    lock.close()


def test_a_worker_that_does_not_stop_is_reported_and_left_running(
    settings: WorkerSettings, holder: MakeHolder
) -> None:
    worker = holder("ignore")
    with pytest.raises(
        CommandRefused, match=r"still runs after 0.3 s: it continues; to stop it immediately, run"
    ):
        drain(settings, 0.3)
    with pytest.raises(CommandRefused, match=r"still runs after 0 s: read its log"):
        stop(settings, limit_s=0)
    assert worker.poll() is None


@pytest.mark.parametrize("leave", [drain, stop])
def test_a_worker_that_its_service_manager_starts_again_has_ended(
    settings: WorkerSettings, holder: MakeHolder, leave: Callable[[WorkerSettings], None]
) -> None:
    worker = holder("restart")
    leave(settings)
    line_of(worker)
    successor = int(line_of(worker))
    try:
        os.kill(successor, 0)
    finally:
        os.kill(successor, signal.SIGKILL)


def test_an_unreachable_worker_is_reported_and_its_next_stop_is_unchanged(
    settings: WorkerSettings,
) -> None:
    """The process id of a worker in a container means nothing on the host."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lock = take_lock(settings.folder)
    assert lock is not None
    write_holder(settings.folder, ended.pid, 13100)
    with pytest.raises(CommandRefused, match=f"process {ended.pid} cannot be reached: .*docker exec"):
        stop(settings, 900.0)
    assert take_return_within(settings.folder, NEVER) == NEVER
    lock.close()


@pytest.mark.parametrize("leave", [drain, stop])
def test_a_foreign_process_with_the_number_of_a_worker_gets_no_signal(
    settings: WorkerSettings, leave: Callable[[WorkerSettings], None]
) -> None:
    """Process 7 of a worker's container is another process on the host."""
    foreign = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lock = take_lock(settings.folder)
    assert lock is not None
    write_holder(settings.folder, foreign.pid, 13100)
    path = settings.folder / "holder.json"
    holder = json.loads(path.read_text())
    path.write_text(json.dumps(holder | {"started": holder["started"] - 1}))
    with pytest.raises(
        CommandRefused, match=r"cannot be reached: it is not a process of this host .*docker exec"
    ):
        leave(settings)
    foreign.communicate(b"\n")
    assert foreign.returncode == 0
    assert take_return_within(settings.folder, NEVER) == NEVER
    lock.close()


def test_a_folder_that_cannot_be_written_is_reported_before_the_signal(
    settings: WorkerSettings, holder: MakeHolder
) -> None:
    worker = holder("end")
    (settings.folder / "return-within").mkdir()
    with pytest.raises(CommandRefused, match="cannot be used: Is a directory"):
        stop(settings)
    assert worker.poll() is None


class Enough(Exception):
    """The test has read what it waits for."""


def first_progress(settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a drain that has to wait says first."""
    monkeypatch.setattr(leaving, "_PRINTED_EVERY_S", 0.0)
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        raise Enough

    with pytest.raises(Enough):
        drain(settings, say=say)
    return said[0]


async def test_a_waiting_drain_names_the_replicates(
    settings: WorkerSettings, holder: MakeHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder("ignore")
    journal = SqliteJournal(settings.folder / "journal.db", on_failure=unexpected)
    await journal.open()
    record = ReplicateRecord(TASK_ID, status=ReplicateStatus.COMPUTING)
    await journal.save_assignment(b"", record)
    assert first_progress(settings, monkeypatch) == "waiting for 1 replicates: 0x01010101… COMPUTING"
    await journal.end(TASK_ID, [])
    assert first_progress(settings, monkeypatch) == "waiting for the last reports"
    await journal.close()


def test_a_damaged_journal_does_not_end_the_wait(
    settings: WorkerSettings, holder: MakeHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder("ignore")
    (settings.folder / "journal.db").write_text("no database")
    assert "cannot be read" in first_progress(settings, monkeypatch)
