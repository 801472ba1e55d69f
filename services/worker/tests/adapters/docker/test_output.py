"""What containers print, read while they run: both streams, in order, once; and never more than can be told."""

import asyncio
import contextlib
import struct
import threading

import pytest
import requests
from docker.errors import DockerException
from hypothesis import given
from hypothesis import strategies as st
from workerpool_worker.adapters.docker import output
from workerpool_worker.adapters.docker.log_stream import LogCursor, split_entries, unix_time
from workerpool_worker.adapters.docker.output import OutputFollower
from workerpool_worker.domain.output_tail import OutputStream

OUT, ERR = OutputStream.STDOUT, OutputStream.STDERR


class Sink:
    """Counts and keeps what is handed over."""

    def __init__(self):
        self.data = {OUT: bytearray(), ERR: bytearray()}
        self.entries = self.gaps = 0

    def add(self, stream, data):
        self.data[stream] += data
        self.entries += 1

    def mark_gap(self):
        self.gaps += 1

    @property
    def out(self):
        return self.data[OUT].decode()


@contextlib.asynccontextmanager
async def followed(engine, container, *, limit_s=60.0, from_now=False, started=False):
    """Run a container, and follow its output into the sink that is yielded."""
    sink = Sink()
    running = asyncio.create_task(engine.run(container, limit_s, new=not started))
    following = asyncio.create_task(engine.follow_output(container, sink, from_now=from_now))
    try:
        yield sink, running
    finally:
        for task in (following, running):
            task.cancel()
        await asyncio.gather(following, running, return_exceptions=True)


def docker_threads():
    return {thread for thread in threading.enumerate() if thread.name == "docker-call"}


@given(st.lists(st.tuples(st.integers(1, 2), st.binary(max_size=30)), max_size=6), st.integers(1, 20))
def test_entries_are_found_however_their_bytes_are_cut(entries, size):
    stream = b"".join(struct.pack(">BxxxL", kind, len(data)) + data for kind, data in entries)
    blocks = [stream[begin : begin + size] for begin in range(0, len(stream), size)]
    assert list(split_entries(blocks)) == entries


def test_times_keep_their_nanoseconds():
    assert unix_time("2024-05-01T10:00:00.123456789Z") == "1714557600.123456789"
    assert unix_time("2024-05-01T10:00:00.1Z") == "1714557600.100000000"
    assert unix_time("2024-05-01T10:00:00Z") == "1714557600.000000000"


def test_entries_of_the_newest_time_that_come_again_are_dropped():
    first, second = b"2024-05-01T10:00:00Z", b"2024-05-01T10:00:01Z"
    position = LogCursor("", tail_entries=500)
    assert position.resume(behind=False) == ""
    assert [position.advance(stamp) for stamp in (first, second, second)] == [True] * 3
    assert position.resume(behind=False) == unix_time(second.decode())
    assert [position.advance(second) for _ in range(4)] == [False, False, True, True]


def test_the_parts_of_an_endless_line_are_shown_again_rather_than_never():
    position = LogCursor("", tail_entries=500)
    for _ in range(1_000):
        assert position.advance(b"2024-05-01T10:00:00Z")
    position.resume(behind=True)
    assert position.advance(b"2024-05-01T10:00:00Z")


async def test_lines_are_there_before_the_app_ends(engine, plan, eventually):
    container = await engine.create(
        plan("/bin/sh", "-c", "echo one; echo oops >&2; sleep 1; echo two; sleep 60")
    )
    async with followed(engine, container) as (sink, running):
        await eventually(lambda: sink.out == "one\n", limit_s=5)
        assert sink.data[ERR] == b"oops\n"
        await eventually(lambda: sink.out == "one\ntwo\n", limit_s=5)
        assert not running.done()
        assert sink.gaps == 0


async def test_nothing_comes_twice_when_the_connection_is_renewed(engine, plan, eventually, monkeypatch):
    monkeypatch.setattr(output, "_SILENCE_S", 0.2)
    script = "for i in 1 2 3; do echo $i; echo $i >&2; sleep 1; done; sleep 60"
    container = await engine.create(plan("/bin/sh", "-c", script))
    async with followed(engine, container) as (sink, _):
        await eventually(lambda: "3" in sink.out, limit_s=10)
        assert sink.out == "1\n2\n3\n"
        assert (sink.data[ERR], sink.gaps) == (b"1\n2\n3\n", 0)


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param("i=0; while true; do i=$((i+1)); echo $i; done", id="short lines"),
        pytest.param("yes 0123456789012345678901234567890123456789 | tr -d '\\n'", id="one endless line"),
    ],
)
async def test_a_flood_is_read_in_bounded_pieces_from_its_newest_end(engine, plan, eventually, flood):
    container = await engine.create(plan("/bin/sh", "-c", flood))
    async with followed(engine, container) as (sink, running):
        seen = await eventually(lambda: sink.gaps >= 2 and sink.entries)
        gaps = sink.gaps
        await eventually(lambda: sink.gaps >= gaps + 4 and sink.entries > seen)
        assert sink.entries <= output._MAX_ENTRIES * (sink.gaps + 2)
        assert len(sink.data[OUT]) <= (output._MAX_BYTES + 40_000) * (sink.gaps + 2)
        assert not running.done()


async def test_a_flood_that_ends_is_shown_to_its_last_line(engine, plan, eventually):
    script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done; sleep 1; echo last; sleep 60"
    container = await engine.create(plan("/bin/sh", "-c", script))
    async with followed(engine, container) as (sink, _):
        await eventually(lambda: sink.out.endswith("last\n"))
        numbers = [int(line) for line in sink.out.split()[:-1]]
        assert numbers[-1] == 20_000
        assert numbers == sorted(set(numbers)), "no line comes twice"
        assert sink.gaps


async def test_only_what_comes_from_now_on(engine, plan, eventually, monkeypatch):
    monkeypatch.setattr(output, "_SILENCE_S", 0.2)
    container = await engine.create(
        plan("/bin/sh", "-c", "echo old; sleep 3; echo new; sleep 1; echo on; sleep 60")
    )
    await engine._start(container)
    async with followed(engine, container) as (sink, _):
        await eventually(lambda: sink.out == "old\n")
    async with followed(engine, container, from_now=True, started=True) as (sink, _):
        await eventually(lambda: "on" in sink.out)
        assert (sink.out, sink.gaps) == ("new\non\n", 1)


async def test_the_end_of_following_ends_its_thread_though_the_app_is_silent(engine, plan, eventually):
    container = await engine.create(plan("/bin/sh", "-c", "echo said; sleep 60"))
    before = docker_threads()
    sink = Sink()
    await engine._start(container)
    following = asyncio.create_task(engine.follow_output(container, sink, from_now=False))
    await eventually(lambda: sink.out)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await eventually(lambda: docker_threads() <= before, limit_s=2)


async def test_following_goes_on_over_the_death_of_the_container(engine, plan, eventually):
    made = plan("/bin/sh", "-c", "echo said; sleep 60")
    container = await engine.create(made)
    async with followed(engine, container) as (sink, running):
        await eventually(lambda: sink.out)
        await engine._kill(container)
        assert (await running).exit_code == 137
        await engine.remove(made.task_id)


async def test_an_engine_that_is_away_is_waited_out(engine, plan, eventually):
    outages = [DockerException("away"), requests.exceptions.ConnectionError("away")]
    container = await engine.create(plan("/bin/sh", "-c", "echo said; sleep 60"))
    await engine._start(container)

    def client():
        if outages:
            raise outages.pop()
        return engine._connection.client()

    sink = Sink()
    following = asyncio.create_task(OutputFollower(client, container, sink, from_now=False).follow())
    await eventually(lambda: sink.out == "said\n")
    assert not outages
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
