"""The rounds in which running apps' output is told: bounded, in turn for all, gone with its app."""

import asyncio
import math

import pytest
from workerpool_worker.app.live_output import FLUSH_PERIOD_S, LiveOutput, OutputChunk
from workerpool_worker.domain.output_tail import OutputStream

OUT, ERR = OutputStream.STDOUT, OutputStream.STDERR


@pytest.fixture
def woken():
    return []


@pytest.fixture
def live(woken):
    return LiveOutput(lambda: woken.append(True))


class Follower:
    """Takes the place of an engine's follower: the test prints."""

    async def __call__(self, sink):
        self.sink = sink
        await asyncio.Event().wait()


async def printing(follower):
    while not hasattr(follower, "sink"):
        await asyncio.sleep(0)
    return follower.sink


def told(live, now):
    return list(iter(lambda: live.next_chunk(now), None))


async def test_each_stream_is_told_once_in_a_round(live, woken):
    follower = Follower()
    assert live.next_flush_at() == math.inf
    async with live.followed("task", follower):
        assert woken
        sink = await printing(follower)
        sink.add(OUT, b"one, ")
        sink.add(ERR, b"bad")
        sink.add(OUT, b"two")
        assert sorted(told(live, 10.0), key=str) == [
            OutputChunk("task", ERR, "bad"),
            OutputChunk("task", OUT, "one, two"),
        ]
        sink.add(OUT, b"three")
        assert told(live, 10.1) == []
        assert live.next_flush_at() == 10.0 + FLUSH_PERIOD_S
        assert told(live, live.next_flush_at()) == [OutputChunk("task", OUT, "three")]


async def test_nothing_is_told_of_an_app_that_has_ended(live):
    follower = Follower()
    async with live.followed("task", follower):
        (await printing(follower)).add(OUT, b"its report says it again")
    assert told(live, 10.0) == []
    assert live.next_flush_at() == math.inf


async def test_every_app_has_its_turn_before_any_has_its_next(live):
    followers = {task: Follower() for task in ("a", "b", "c")}
    async with (
        live.followed("a", followers["a"]),
        live.followed("b", followers["b"]),
        live.followed("c", followers["c"]),
    ):
        sinks = [await printing(follower) for follower in followers.values()]
        seen = []
        for now in range(3):  # so slow that each message takes longer than a round
            for sink in sinks:
                sink.add(OUT, b"more")
            seen.append(live.next_chunk(float(now)).task_id)
        assert sorted(seen) == ["a", "b", "c"]


async def test_a_follower_that_fails_does_not_touch_the_app(live, caplog):
    async def fail(sink):
        raise RuntimeError("a defect")

    async with live.followed("task", fail):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        computed = True
    assert computed
