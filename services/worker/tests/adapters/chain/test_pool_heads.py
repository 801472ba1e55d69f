"""Heads of the scheduler's stream, and of the worker's own node without a stream."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from doubles.node import Node, running_node
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.protocol.model import Block
from workerpool_worker.adapters.chain.pool_heads import PoolHeads

from services.worker.tests.harness.waiting import Eventually


def head(number: int) -> Block:
    return Block(number, bytes([number]) * 32, bytes([number - 1]) * 32, 1_700_000_000 + number)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with running_node() as node:
        yield node


@pytest.fixture
async def heads(node: Node) -> AsyncIterator[PoolHeads]:
    heads = PoolHeads(HeadStream(node.url, websocket=False, busy=lambda: False))
    yield heads
    await heads.stop()


def looks(node: Node) -> int:
    return node.calls_of("eth_getBlockByNumber")


async def test_the_workers_own_node_is_read_before_the_first_head(
    node: Node, heads: PoolHeads, eventually: Eventually
) -> None:
    heads.start()
    await eventually(lambda: heads.latest)
    assert heads.latest is not None
    assert heads.latest.number == 0x10
    assert not heads.pushed


async def test_with_heads_of_the_scheduler_the_node_is_not_read(
    node: Node, heads: PoolHeads, eventually: Eventually
) -> None:
    seen: list[int] = []
    heads.on_head(lambda block: seen.append(block.number))
    heads.start()
    await eventually(lambda: heads.latest)
    heads.take(head(20))
    assert (heads.pushed, heads.latest) == (True, head(20))
    before = looks(node)
    heads.take(head(20))
    heads.take(head(21))
    assert not await heads.wait_change(2.5), "an idle worker would have looked once in this time"
    assert looks(node) == before
    assert seen == [16, 20, 21], "a repeated head is no news"


async def test_without_the_stream_the_node_is_read_again(
    node: Node, heads: PoolHeads, eventually: Eventually
) -> None:
    heads.start()
    await eventually(lambda: heads.latest)
    heads.take(head(20))
    before = looks(node)
    heads.stream_lost()
    await eventually(lambda: looks(node) > before)
    assert heads.latest == head(20), "the head of the last look is old"
    node.header |= {"number": "0x15", "hash": "0x" + "c5" * 32}
    await eventually(lambda: heads.latest is not None and heads.latest.number == 0x15)
    assert not heads.pushed


async def test_an_outage_of_the_own_node_counts_only_while_it_is_read(
    node: Node, heads: PoolHeads, eventually: Eventually
) -> None:
    async def down(_: Any) -> Any:
        return web.Response(status=502)

    node.fault = down
    heads.start()
    await eventually(lambda: heads.outage)
    heads.take(head(20))
    assert heads.outage is None
