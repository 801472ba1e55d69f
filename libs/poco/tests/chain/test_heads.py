import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from patience import PATIENCE_S
from workerpool_devnet.chain.anvil import Chain
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.errors import WrongChain
from workerpool_poco.protocol.model import Block


@pytest.fixture(params=[True, False], ids=["websocket", "polling"])
def websocket(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def first(stream: HeadStream) -> Block:
    async for head in stream:
        return head
    raise AssertionError("the stream ended")


async def until(stream: HeadStream, *, reachable: bool) -> None:
    while stream.reachable is not reachable:
        await stream.wait_change(0.05)


async def test_the_latest_head_is_yielded_at_once_and_every_change_after_it(
    plain_chain: Chain, websocket: bool
) -> None:
    async with asyncio.timeout(PATIENCE_S), HeadStream(plain_chain.url, websocket=websocket) as stream:
        start = await first(stream)
        assert stream.mode == ("websocket" if websocket else "polling")
        assert stream.reachable
        await asyncio.to_thread(plain_chain.mine, 3)
        head = await stream.wait_block(start.number + 3)
        assert head.timestamp >= start.timestamp
        assert len(head.hash) == len(head.parent_hash) == 32


async def test_several_readers_share_one_stream(plain_chain: Chain) -> None:
    async with asyncio.timeout(PATIENCE_S), HeadStream(plain_chain.url) as stream:
        start = await first(stream)
        waiting = [asyncio.create_task(stream.wait_block(start.number + 2)) for _ in range(3)]
        await asyncio.to_thread(plain_chain.mine, 2)
        assert len(await asyncio.gather(*waiting)) == 3


async def test_an_outage_is_reported_once_and_the_stream_reconnects(tmp_path: Path, websocket: bool) -> None:
    told: list[str] = []
    chain = Chain(log=tmp_path / "one.log")
    chain.start()
    try:
        stream = HeadStream(
            chain.url,
            websocket=websocket,
            on_outage=lambda error: told.append("outage"),
            on_return=lambda: told.append("return"),
        )
        async with asyncio.timeout(PATIENCE_S), stream:
            await first(stream)
            assert told == []
            chain.stop()
            await until(stream, reachable=False)
            chain = Chain(log=tmp_path / "two.log", port=chain.port)
            chain.start()
            await until(stream, reachable=True)
            again = stream.latest
            assert again is not None
            await asyncio.to_thread(chain.mine, 2)
            await stream.wait_block(again.number + 2)
            assert told == ["outage", "return"]
            assert stream.mode == ("websocket" if websocket else "polling")
    finally:
        chain.stop()


async def test_heads_of_another_chain_are_not_taken_and_the_right_node_is_awaited(
    tmp_path: Path, websocket: bool
) -> None:
    told: list[str] = []
    chain = Chain(log=tmp_path / "one.log", chain_id=4242)
    chain.start()
    try:
        stream = HeadStream(
            chain.url,
            websocket=websocket,
            on_outage=lambda error: told.append(type(error).__name__),
            chain_id=65535,
        )
        async with asyncio.timeout(PATIENCE_S), stream:
            while "WrongChain" not in told:
                await stream.wait_change(0.02)
            assert type(stream.outage) is WrongChain
            assert stream.latest is None
            chain.stop()
            chain = Chain(log=tmp_path / "two.log", port=chain.port, chain_id=65535)
            chain.start()
            await first(stream)
            assert told.count("WrongChain") == 1
    finally:
        chain.stop()


async def test_the_stream_waits_for_a_node_that_is_down_at_first(tmp_path: Path) -> None:
    chain = Chain(log=tmp_path / "chain.log")
    told: list[Exception] = []
    async with asyncio.timeout(PATIENCE_S), HeadStream(chain.url, on_outage=told.append) as stream:
        while not told:
            await stream.wait_change(0.02)
        assert stream.latest is None
        chain.start()
        try:
            await first(stream)
        finally:
            chain.stop()


async def test_a_node_without_websocket_is_polled(scripted_node: Any) -> None:
    def answer(request: Any) -> Any:
        number = len(scripted_node.requests)
        block = {
            "number": hex(number),
            "hash": f"0x{number:064x}",
            "parentHash": "0x" + "00" * 32,
            "timestamp": "0x1",
        }
        return {"jsonrpc": "2.0", "id": request["id"], "result": block}

    scripted_node.answer = answer
    async with asyncio.timeout(PATIENCE_S), HeadStream(scripted_node.url, block_time=0.1) as stream:
        await stream.wait_block(3)
        assert stream.mode == "polling"


@pytest.mark.parametrize("mute_after_handshake", [False, True])
async def test_a_node_that_never_answers_a_websocket_is_polled(
    scripted_node: Any, mute_after_handshake: bool
) -> None:
    """Some proxies pass plain requests only and drop a WebSocket without an error."""

    async def upgrade(request: web.Request) -> web.StreamResponse:
        if not mute_after_handshake:
            await asyncio.sleep(60)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    block = {"number": "0x7", "hash": "0x" + "07" * 32, "parentHash": "0x" + "06" * 32, "timestamp": "0x1"}
    scripted_node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": block}
    scripted_node.upgrade = upgrade
    async with asyncio.timeout(PATIENCE_S), HeadStream(scripted_node.url, timeout=0.5) as stream:
        assert (await first(stream)).number == 7
        assert stream.mode == "polling"


def numbered(scripted_node: Any) -> Callable[[Any], Any]:
    """Return answers with one more block for each request."""

    def answer(request: Any) -> Any:
        number = len(scripted_node.requests)
        hashed = f"0x{number:064x}"
        block = {"number": hex(number), "hash": hashed, "parentHash": "0x" + "00" * 32, "timestamp": "0x1"}
        return {"jsonrpc": "2.0", "id": request["id"], "result": block}

    return answer


async def test_an_idle_process_looks_once_until_it_is_woken(scripted_node: Any) -> None:
    scripted_node.answer = numbered(scripted_node)
    busy: list[bool] = []
    stream = HeadStream(scripted_node.url, block_time=0.25, busy=lambda: bool(busy), websocket=False)
    async with asyncio.timeout(PATIENCE_S), stream:
        await first(stream)
        assert not await stream.wait_change(1.0)
        stream.wake()
        await stream.wait_block(2)
        assert len(scripted_node.requests) == 2
        busy.append(True)
        stream.wake()
        await stream.wait_block(6)


async def test_a_refused_websocket_is_tried_again_after_ten_idle_minutes(scripted_node: Any) -> None:
    now, tries, busy = [1000.0], list[float](), [True]

    async def upgrade(_request: web.Request) -> web.StreamResponse:
        tries.append(now[0])
        return web.Response(status=405)

    scripted_node.upgrade = upgrade
    scripted_node.answer = numbered(scripted_node)
    stream = HeadStream(scripted_node.url, block_time=0.25, busy=lambda: busy[0], monotonic=lambda: now[0])
    async with asyncio.timeout(PATIENCE_S), stream:
        await stream.wait_block(3)
        # Failed looks are no reason to try it.
        scripted_node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": None}
        await until(stream, reachable=False)
        scripted_node.answer = numbered(scripted_node)
        await until(stream, reachable=True)
        now[0] += 599
        await stream.wait_change(1.0)
        assert tries == [1000.0]
        now[0] += 2
        await stream.wait_change(1.0)
        assert len(tries) == 1, "a busy process does without the pause of a handshake"
        busy[0] = False
        while len(tries) < 2:
            stream.wake()
            await stream.wait_change(0.05)


async def test_the_websocket_is_tried_after_a_long_outage(scripted_node: Any) -> None:
    now, tries = [1000.0], list[float]()

    async def upgrade(_request: web.Request) -> web.StreamResponse:
        tries.append(now[0])
        return web.Response(status=405)

    scripted_node.upgrade = upgrade
    scripted_node.answer = numbered(scripted_node)
    stream = HeadStream(scripted_node.url, block_time=0.25, busy=lambda: False, monotonic=lambda: now[0])
    async with asyncio.timeout(PATIENCE_S), stream:
        await first(stream)
        scripted_node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": None}
        stream.wake()
        await until(stream, reachable=False)
        now[0] += 61
        scripted_node.answer = numbered(scripted_node)
        while len(tries) < 2:
            stream.wake()
            await stream.wait_change(0.05)


async def test_a_node_that_fails_at_times_is_looked_at_soon_again(scripted_node: Any) -> None:
    """A silent chain has no new block that would end the growth of the pauses."""
    block = {"number": "0x7", "hash": "0x" + "07" * 32, "parentHash": "0x" + "06" * 32, "timestamp": "0x1"}

    def answer(request: Any) -> Any:
        fails = len(scripted_node.requests) % 2 == 0
        return {"jsonrpc": "2.0", "id": request["id"], "result": None if fails else block}

    scripted_node.answer = answer
    stream = HeadStream(scripted_node.url, block_time=0.1, websocket=False)
    async with asyncio.timeout(PATIENCE_S), stream:
        while len(scripted_node.requests) < 16:
            await stream.wait_change(0.1)


async def test_a_throttled_look_is_no_outage(scripted_node: Any) -> None:
    def answer(request: Any) -> Any:
        if len(scripted_node.requests) % 2:
            return web.Response(status=429, headers={"Retry-After": "0.05"})
        return numbered(scripted_node)(request)

    scripted_node.answer = answer
    told: list[Exception] = []
    stream = HeadStream(scripted_node.url, block_time=0.1, websocket=False, on_outage=told.append)
    async with asyncio.timeout(PATIENCE_S), stream:
        await stream.wait_block(8)
    assert not told


@pytest.mark.parametrize("nonsense", [None, {}, "0x", {"number": None}], ids=repr)
async def test_malformed_answers_count_as_an_outage(scripted_node: Any, nonsense: Any) -> None:
    """Some nodes answer so while they start; the stream must not end silently."""
    block = {"number": "0x7", "hash": "0x" + "07" * 32, "parentHash": "0x" + "06" * 32, "timestamp": "0x1"}
    told: list[Exception] = []
    scripted_node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": nonsense}
    stream = HeadStream(scripted_node.url, websocket=False, on_outage=told.append)
    async with asyncio.timeout(PATIENCE_S), stream:
        while not told:
            await stream.wait_change(0.02)
        assert str(told[0]).startswith("the node answered ")
        scripted_node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": block}
        assert (await first(stream)).number == 7


@pytest.mark.parametrize(
    "pushed",
    [
        "[]",
        "7",
        "<html>",
        '{"method": "eth_subscription", "params": {"result": {"parentHash": null, "number": "x"}}}',
    ],
)
async def test_malformed_pushes_count_as_an_outage(scripted_node: Any, pushed: str) -> None:
    told: list[Exception] = []

    async def upgrade(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            call = message.json()
            await socket.send_json({"id": call["id"], "result": numbered(scripted_node)(call)["result"]})
            if call["method"] == "eth_subscribe":
                await socket.send_str(pushed)
        return socket

    scripted_node.upgrade = upgrade
    async with asyncio.timeout(PATIENCE_S), HeadStream(scripted_node.url, on_outage=told.append) as stream:
        while not told:
            await stream.wait_change(0.02)
    assert str(told[0]).startswith("the node answered ")


async def test_a_reorganisation_yields_another_head(plain_chain: Chain) -> None:
    async with asyncio.timeout(PATIENCE_S), HeadStream(plain_chain.url, websocket=False) as stream:
        start = await first(stream)
        snapshot = await asyncio.to_thread(plain_chain.snapshot)
        await asyncio.to_thread(plain_chain.mine, 5)
        await stream.wait_block(start.number + 5)
        await asyncio.to_thread(plain_chain.revert, snapshot)
        async for head in stream:
            if head.number < start.number + 5:
                break


async def test_loops_end_when_the_stream_stops(plain_chain: Chain) -> None:
    stream = HeadStream(plain_chain.url)
    seen: list[Block] = []

    async def read() -> None:
        async for head in stream:
            seen.append(head)

    async with asyncio.timeout(PATIENCE_S):
        reader = asyncio.create_task(read())
        while not seen:
            await stream.wait_change(0.05)
        await stream.stop()
        await reader
