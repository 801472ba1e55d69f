"""Flushes of live output: bounded, fair between apps, without output of ended apps."""

import asyncio
import math
from collections.abc import Callable

import pytest
from workerpool_poco.protocol.ids import TaskId
from workerpool_worker.app.live_output import FLUSH_PERIOD_S, LiveOutput, OutputChunk
from workerpool_worker.app.ports import OutputSink
from workerpool_worker.domain.output_tail import OMISSION_MARK, OutputStream

OUT, ERR = OutputStream.STDOUT, OutputStream.STDERR
TASK, A, B, C = (TaskId(name) for name in ("task", "a", "b", "c"))


@pytest.fixture
def wakes() -> list[bool]:
    return []


@pytest.fixture
def live(wakes: list[bool]) -> LiveOutput:
    return LiveOutput(lambda: wakes.append(True))


class Follower:
    """Stands in for an engine's follower: the test writes into its sink."""

    sink: OutputSink | None = None

    async def __call__(self, sink: OutputSink) -> None:
        self.sink = sink
        await asyncio.Event().wait()


async def sink_of(follower: Follower) -> OutputSink:
    while follower.sink is None:
        await asyncio.sleep(0)
    return follower.sink


def flushed(live: LiveOutput, now: float) -> list[OutputChunk]:
    following: Callable[[], OutputChunk | None] = lambda: live.next_chunk(now)  # noqa: E731
    return [chunk for chunk in iter(following, None) if chunk is not None]


async def test_each_stream_sends_one_chunk_per_period(live: LiveOutput, wakes: list[bool]) -> None:
    follower = Follower()
    assert live.next_flush_at() == math.inf
    async with live.followed(TASK, follower):
        assert wakes
        sink = await sink_of(follower)
        sink.add(OUT, b"one, ")
        sink.add(ERR, b"bad")
        sink.add(OUT, b"two")
        assert sorted(flushed(live, 10.0), key=str) == [
            OutputChunk(TASK, ERR, "bad"),
            OutputChunk(TASK, OUT, "one, two"),
        ]
        sink.add(OUT, b"three")
        assert flushed(live, 10.1) == []
        assert live.next_flush_at() == 10.0 + FLUSH_PERIOD_S
        assert flushed(live, live.next_flush_at()) == [OutputChunk(TASK, OUT, "three")]


async def test_a_gap_is_marked_in_the_next_chunk(live: LiveOutput) -> None:
    follower = Follower()
    async with live.followed(TASK, follower):
        sink = await sink_of(follower)
        sink.mark_gap()
        sink.add(OUT, b"newest")
        assert flushed(live, 1.0) == [OutputChunk(TASK, OUT, f"{OMISSION_MARK}newest")]


async def test_output_of_an_ended_app_is_not_sent(live: LiveOutput) -> None:
    follower = Follower()
    async with live.followed(TASK, follower):
        (await sink_of(follower)).add(OUT, b"the report carries it")
    assert flushed(live, 10.0) == []
    assert live.next_flush_at() == math.inf


async def test_every_app_sends_before_any_sends_again(live: LiveOutput) -> None:
    followers = {task_id: Follower() for task_id in (A, B, C)}
    async with (
        live.followed(A, followers[A]),
        live.followed(B, followers[B]),
        live.followed(C, followers[C]),
    ):
        sinks = [await sink_of(follower) for follower in followers.values()]
        seen = []
        for now in range(3):  # Each message takes longer than a period.
            for sink in sinks:
                sink.add(OUT, b"more")
            chunk = live.next_chunk(float(now))
            assert chunk is not None
            seen.append(chunk.task_id)
        assert sorted(seen) == [A, B, C]


async def test_an_error_of_the_follower_does_not_reach_the_app(live: LiveOutput) -> None:
    async def fail(sink: OutputSink) -> None:
        raise RuntimeError("a defect")

    async with live.followed(TASK, fail):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        computed = True
    assert computed
