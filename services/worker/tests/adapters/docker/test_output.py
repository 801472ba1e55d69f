"""Output of running containers: both streams, in order, once, and bounded."""

import asyncio
import contextlib
import struct
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import requests
from docker.errors import DockerException
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S
from workerpool_worker.adapters.docker import output
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.log_stream import LogCursor, split_entries, unix_time
from workerpool_worker.adapters.docker.output import OutputFollower
from workerpool_worker.domain.failures.app_exit import AppExit
from workerpool_worker.domain.output_tail import OutputStream

from services.worker.tests.harness.fixtures import MakePlan
from services.worker.tests.harness.waiting import Eventually

OUT, ERR = OutputStream.STDOUT, OutputStream.STDERR


class Sink:
    """Counts and keeps the output."""

    def __init__(self) -> None:
        self.data = {OUT: bytearray(), ERR: bytearray()}
        self.entries = self.gaps = 0

    def add(self, stream: OutputStream, data: bytes) -> None:
        self.data[stream] += data
        self.entries += 1

    def mark_gap(self) -> None:
        self.gaps += 1

    @property
    def out(self) -> str:
        return self.data[OUT].decode()


@contextlib.asynccontextmanager
async def followed(
    engine: DockerEngine,
    container: str,
    *,
    limit_s: float = 2 * PATIENCE_S,
    from_now: bool = False,
    started: bool = False,
) -> AsyncIterator[tuple[Sink, asyncio.Task[AppExit]]]:
    """Run a container and follow its output into the sink."""
    sink = Sink()
    running = asyncio.create_task(engine.run(container, limit_s, new=not started))
    following = asyncio.create_task(engine.follow_output(container, sink, from_now=from_now))
    try:
        yield sink, running
    finally:
        for task in (following, running):
            task.cancel()
        await asyncio.gather(following, running, return_exceptions=True)


def docker_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "docker-call"}


@given(st.lists(st.tuples(st.integers(1, 2), st.binary(max_size=30)), max_size=6), st.integers(1, 20))
def test_entries_are_split_wherever_blocks_are_cut(entries: list[tuple[int, bytes]], size: int) -> None:
    stream = b"".join(struct.pack(">BxxxL", kind, len(data)) + data for kind, data in entries)
    blocks = [stream[begin : begin + size] for begin in range(0, len(stream), size)]
    assert list(split_entries(blocks)) == entries


def test_times_keep_their_nanoseconds() -> None:
    assert unix_time("2024-05-01T10:00:00.123456789Z") == "1714557600.123456789"
    assert unix_time("2024-05-01T10:00:00.1Z") == "1714557600.100000000"
    assert unix_time("2024-05-01T10:00:00Z") == "1714557600.000000000"


def test_repeated_entries_of_the_newest_time_are_dropped() -> None:
    first, second = b"2024-05-01T10:00:00Z", b"2024-05-01T10:00:01Z"
    position = LogCursor("", tail_entries=500)
    assert position.resume(behind=False) == ""
    assert [position.advance(stamp) for stamp in (first, second, second)] == [True] * 3
    assert position.resume(behind=False) == unix_time(second.decode())
    assert [position.advance(second) for _ in range(4)] == [False, False, True, True]


def test_parts_of_an_endless_line_are_repeated_rather_than_lost() -> None:
    position = LogCursor("", tail_entries=500)
    for _ in range(1_000):
        assert position.advance(b"2024-05-01T10:00:00Z")
    position.resume(behind=True)
    assert position.advance(b"2024-05-01T10:00:00Z")


async def test_lines_arrive_before_the_app_ends(
    engine: DockerEngine, plan: MakePlan, eventually: Eventually, tmp_path: Path
) -> None:
    script = "echo one; echo oops >&2; while [ ! -e /iexec_out/go ]; do sleep 0.1; done; echo two; sleep 600"
    container = await engine.create(plan("/bin/sh", "-c", script))
    async with followed(engine, container) as (sink, running):
        await eventually(lambda: sink.out == "one\n" and sink.data[ERR] == b"oops\n")
        (tmp_path / "out/go").touch()
        await eventually(lambda: sink.out == "one\ntwo\n")
        assert not running.done()
        assert sink.gaps == 0


async def test_a_renewed_connection_repeats_nothing(
    engine: DockerEngine, plan: MakePlan, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_SILENCE_S", 0.2)
    script = "for i in 1 2 3; do echo $i; echo $i >&2; sleep 1; done; sleep 600"
    container = await engine.create(plan("/bin/sh", "-c", script))
    async with followed(engine, container) as (sink, _):
        await eventually(lambda: b"3" in sink.data[OUT] and b"3" in sink.data[ERR])
        assert sink.out == "1\n2\n3\n"
        assert (bytes(sink.data[ERR]), sink.gaps) == (b"1\n2\n3\n", 0)


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param("i=0; while true; do i=$((i+1)); echo $i; done", id="short lines"),
        pytest.param("yes 0123456789012345678901234567890123456789 | tr -d '\\n'", id="one endless line"),
    ],
)
async def test_a_flood_is_read_in_bounded_pieces_from_its_end(
    engine: DockerEngine, plan: MakePlan, eventually: Eventually, flood: str
) -> None:
    container = await engine.create(plan("/bin/sh", "-c", flood))
    began = time.monotonic()
    async with followed(engine, container) as (sink, running):
        seen = await eventually(lambda: sink.gaps >= 2 and sink.entries)
        gaps = sink.gaps
        await eventually(lambda: sink.gaps >= gaps + 4 and sink.entries > seen)
        # A period that a busy machine does not fill ends without a gap.
        entries, size = sink.entries, len(sink.data[OUT])
        periods = (time.monotonic() - began) / output._PERIOD_S + 1
        assert entries <= output._MAX_ENTRIES * periods
        assert size <= (output._MAX_BYTES + 40_000) * periods
        assert not running.done()


async def test_a_flood_that_ends_is_read_to_its_last_line(
    engine: DockerEngine, plan: MakePlan, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine reads few lines in a period, and none is left out while no limit is reached.
    monkeypatch.setattr(output, "_MAX_ENTRIES", output._TAIL_ENTRIES + 100)
    script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done; sleep 1; echo last; sleep 600"
    container = await engine.create(plan("/bin/sh", "-c", script))
    async with followed(engine, container) as (sink, _):
        await eventually(lambda: sink.out.endswith("last\n"))
        numbers = [int(line) for line in sink.out.split()[:-1]]
        assert numbers[-1] == 20_000
        assert numbers == sorted(set(numbers)), "no line is repeated"
        assert sink.gaps


async def test_following_from_now_skips_earlier_output(
    engine: DockerEngine,
    plan: MakePlan,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(output, "_SILENCE_S", 0.2)
    script = (
        "echo old; while [ ! -e /iexec_out/go ]; do sleep 0.1; done; echo new; sleep 0.5; echo on; sleep 600"
    )
    container = await engine.create(plan("/bin/sh", "-c", script))
    await engine._start(container)
    async with followed(engine, container) as (sink, _):
        await eventually(lambda: sink.out == "old\n")
    async with followed(engine, container, from_now=True, started=True) as (sink, _):
        await asyncio.sleep(0)  # The follower begins: what comes from here on is new.
        (tmp_path / "out/go").touch()
        await eventually(lambda: "on" in sink.out)
        assert (sink.out, sink.gaps) == ("new\non\n", 1)


async def test_a_cancelled_follower_ends_its_thread_although_the_app_is_silent(
    engine: DockerEngine, plan: MakePlan, eventually: Eventually
) -> None:
    container = await engine.create(plan("/bin/sh", "-c", "echo said; sleep 600"))
    before = docker_threads()
    sink = Sink()
    await engine._start(container)
    following = asyncio.create_task(engine.follow_output(container, sink, from_now=False))
    await eventually(lambda: sink.out)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await eventually(lambda: docker_threads() <= before)


async def test_following_survives_the_end_of_the_container(
    engine: DockerEngine, plan: MakePlan, eventually: Eventually
) -> None:
    made = plan("/bin/sh", "-c", "echo said; sleep 600")
    container = await engine.create(made)
    async with followed(engine, container) as (sink, running):
        await eventually(lambda: sink.out)
        await engine._kill(container)
        assert (await running).exit_code == 137
        await engine.remove(made.task_id)


async def test_an_absent_engine_is_retried(
    engine: DockerEngine, plan: MakePlan, eventually: Eventually
) -> None:
    outages = [DockerException("away"), requests.exceptions.ConnectionError("away")]
    container = await engine.create(plan("/bin/sh", "-c", "echo said; sleep 600"))
    await engine._start(container)

    def client() -> Any:
        if outages:
            raise outages.pop()
        return engine._connection.client()

    sink = Sink()
    following = asyncio.create_task(OutputFollower(client, container, sink, from_now=False).follow())
    await eventually(lambda: sink.out == "said\n")
    assert not outages
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
