"""Case worker-log-volume-full, in the kit: whatever happens to stderr, the program continues and counts lost lines."""

import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from patience import PATIENCE_S
from small_volumes import MountVolume
from workerpool_kit.health import Health
from workerpool_kit.runtime import log_stream
from workerpool_kit.runtime.log_stream import MAX_CHARACTERS, MAX_LINES, LogStream


def eventually(condition: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
    give_up_at = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def loss(count: int) -> str:
    return f"lost {count}\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, LogStream]]:
    read, write = os.pipe()
    yield read, LogStream(write, loss)
    for descriptor in (read, write):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def read_all(descriptor: int) -> str:
    os.set_blocking(descriptor, False)
    content = b""
    with contextlib.suppress(BlockingIOError):
        while chunk := os.read(descriptor, 1 << 16):
            content += chunk
    return content.decode()


def test_lines_arrive_in_order_and_pieces_of_a_line_together(pipe: tuple[int, LogStream]) -> None:
    read, stream = pipe
    print("one", 1, file=stream)
    stream.write("two")
    threading.Thread(target=stream.write, args=("other thread\n",)).start()
    eventually(lambda: stream.drain(1))
    stream.write(" 2\nthree\n")
    assert stream.drain(PATIENCE_S)
    text = read_all(read)
    assert text.startswith("one 1\n")
    assert "two" in text
    assert text.endswith(" 2\nthree\n")


def test_lines_of_a_busy_process_are_written_in_few_pieces() -> None:
    # Each write is one datagram.
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    reader.setblocking(False)
    pieces: list[bytes] = []

    def receive() -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                pieces.append(reader.recv(1 << 16))

    with reader, writer:
        stream = LogStream(writer.fileno(), loss)
        for number in range(200):
            stream.write(f"{number}\n")
            # Other threads run meanwhile, the writer among them.
            receiving = threading.Thread(target=receive)
            receiving.start()
            receiving.join()
        assert stream.drain(PATIENCE_S)
        receive()
    assert b"".join(pieces).split() == [str(number).encode() for number in range(200)]
    assert len(pieces) <= 50


def test_a_text_that_is_no_unicode_or_too_long_is_written_as_far_as_possible(
    pipe: tuple[int, LogStream],
) -> None:
    read, stream = pipe
    stream.write("\ud800\n")
    stream.write("x" * (2 * MAX_CHARACTERS) + "\n")
    assert stream.drain(PATIENCE_S)
    first, second = read_all(read).splitlines()
    assert first == "\\ud800"
    assert second.startswith("x" * MAX_CHARACTERS + "… (")


def test_a_stalled_reader_blocks_nothing_and_learns_of_the_loss(
    pipe: tuple[int, LogStream],
) -> None:
    read, stream = pipe
    problems: list[str | None] = []
    stream.on_change(problems.append)
    line = "x" * 100 + "\n"
    started = time.monotonic()
    for _ in range(3 * MAX_LINES):
        stream.write(line)
    assert time.monotonic() - started < PATIENCE_S
    written = 3 * MAX_LINES

    def told() -> bool:
        nonlocal written
        stream.write(line)
        written += 1
        return bool(problems)

    eventually(told)
    assert problems == ["the reader of the log does not read"]
    text = read_all(read)
    while not stream.drain(0.05):
        text += read_all(read)
    text += read_all(read)
    lines = text.splitlines()
    lost = sum(int(each.split()[1]) for each in lines if each.startswith("lost "))
    assert len([each for each in lines if each == line.strip()]) + lost == written
    eventually(lambda: problems[-1] is None)


def test_a_descriptor_in_non_blocking_mode_is_waited_for(pipe: tuple[int, LogStream]) -> None:
    read, stream = pipe
    os.set_blocking(stream.fileno(), False)
    for number in range(2_000):
        stream.write(f"{number:099}\n")
    text = b""
    while text.count(b"\n") < 2_000:
        text += os.read(read, 1 << 16)
    assert [int(each) for each in text.split()] == list(range(2_000))


@pytest.mark.parametrize("kind", ["full-device", "reader-gone", "closed", "read-only"])
def test_an_error_of_the_file_never_reaches_the_writer(kind: str, tmp_path: Path) -> None:
    if kind == "full-device":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    elif kind == "read-only":
        (tmp_path / "log").touch()
        descriptor = os.open(tmp_path / "log", os.O_RDONLY)
    else:
        read, descriptor = os.pipe()
        os.close(read)
    stream = LogStream(descriptor, loss)
    if kind == "closed":
        os.close(descriptor)
    for _ in range(3):
        print("text", file=stream)
    stream.flush()
    assert stream.drain(PATIENCE_S)
    expected = {"full-device": errno.ENOSPC, "reader-gone": errno.EPIPE}.get(kind, errno.EBADF)
    assert stream.problem == os.strerror(expected)
    if kind != "closed":
        os.close(descriptor)


async def test_health_names_lost_lines_while_they_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    full = os.open("/dev/full", os.O_WRONLY)
    kept = os.dup(write)
    stream = LogStream(write, loss)
    monkeypatch.setattr(sys, "stderr", stream)
    health = Health()
    stop = log_stream.show_in(health)
    assert health.snapshot()["components"] == {}

    async def until(up: bool) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while health.is_up is not up or "logs" not in health.snapshot()["components"]:
                await asyncio.sleep(0.01)

    os.dup2(full, write)
    print("lost line", file=stream)
    await until(False)
    details = health.snapshot()["components"]["logs"]["details"]
    assert details["problem"] == "log lines are lost: No space left on device"
    assert "volume" in details["next_step"]
    os.dup2(kept, write)
    await until(True)
    assert read_all(read) == "lost 1\n"
    stop()
    for descriptor in (read, write, full, kept):
        os.close(descriptor)


PROGRAM = """
import asyncio, itertools, logging, sys, warnings
from workerpool_kit import logs
from workerpool_kit.process import StartupError, run_service
from workerpool_kit.settings.base import Settings

async def serve(settings, lifetime):
    log = logs.get_logger()
    how = sys.stdin.readline().strip()
    if how == "refuse":
        raise StartupError("no chain at http://x; start it")
    async def talk():
        for number in itertools.count():
            if number == 300:  # More than a pipe or a small volume holds.
                print("talked", flush=True)
            log.info("line.written", text="x" * 200)
            logging.getLogger("uvicorn.error").error("library %s", "line")
            warnings.warn("a warning", stacklevel=1)
            print("printed", file=sys.stderr, flush=True)
            try:
                raise ValueError("x")
            except ValueError as error:
                sys.excepthook(type(error), error, error.__traceback__)
            await asyncio.sleep(0.002)
    print("up", flush=True)
    lifetime.spawn(talk(), "talk")
    await lifetime.stopped()

run_service(Settings, serve, name="demo", about="Logs.")
"""


def start(stderr: int | None, how: str = "serve", shell: str | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROGRAM]
    if shell is not None:
        command = ["sh", "-c", f'exec "$@" {shell}', "sh", *command]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, close_fds=True
    )
    assert process.stdin is not None
    process.stdin.write(how + "\n")
    process.stdin.flush()
    return process


def check_lives_and_stops(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "up\n"
        assert process.stdout.readline() == "talked\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("target", ["2>/dev/full", "2>&-"])
def test_service_continues_without_a_usable_stderr_and_stops_on_sigterm(target: str) -> None:
    check_lives_and_stops(start(None, shell=target))


def test_service_continues_when_the_reader_of_stderr_ends() -> None:
    process = start(subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.readline()
    process.stderr.close()
    check_lives_and_stops(process)


def test_service_continues_when_the_reader_of_stderr_does_not_read() -> None:
    read, write = os.pipe()
    process = start(write)
    os.close(write)
    check_lives_and_stops(process)
    os.close(read)


def test_startup_error_keeps_its_exit_code_without_a_usable_stderr() -> None:
    for target in ("2>/dev/full", "2>&-"):
        process = start(None, "refuse", shell=target)
        assert process.wait(PATIENCE_S) == 1
        process.communicate()


def test_lines_continue_once_a_full_volume_has_room_again(small_volume: MountVolume) -> None:
    log = small_volume(1 << 16).path / "log"
    with log.open("ab") as stderr:
        process = start(stderr.fileno())
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    eventually(lambda: os.statvfs(log.parent).f_bavail == 0)
    assert process.stdout.readline() == "talked\n"
    os.truncate(log, 0)
    eventually(lambda: "logs.dropped" in log.read_text(errors="replace"))
    dropped = [json.loads(each) for each in log.read_text().splitlines() if '"logs.dropped"' in each]
    assert dropped[0]["count"] > 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    process.communicate()
