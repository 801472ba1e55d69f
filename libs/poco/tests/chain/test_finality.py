"""The tag `finalized`: read rarely, only on demand, and believed only where it is possible."""

import asyncio
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_devnet.chain.anvil import Chain
from workerpool_poco.chain.finality import PERIOD_S, UNSUPPORTED_PERIOD_S, FinalizedTag
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.protocol.model import Block


def head(number: int) -> Block:
    return Block(number, bytes(32), bytes(32), number)


class Reader:
    """A tag on a scripted node, and a clock of the test."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.now = 0.0
        self.waits = True
        self.ignored: list[str] = []
        self.rpc = JsonRpc(node.url, attempts=1, timeout=PATIENCE_S)
        self.tag = FinalizedTag(
            self.rpc,
            waits=lambda: self.waits,
            on_ignored=self.ignored.append,
            monotonic=lambda: self.now,
        )

    async def look(self, number: int = 1_000) -> int | None:
        """Take a head, and return what a reading that was due told."""
        self.tag.take(head(number))
        if (reading := self.tag._reading) is not None:
            await asyncio.wait({reading})
        return self.tag.number

    async def next(self, number: int = 1_000) -> int | None:
        """Look when the next reading is due."""
        self.now += UNSUPPORTED_PERIOD_S
        return await self.look(number)


@pytest.fixture
async def reader(scripted_node: Any) -> Any:
    scripted_node.returns({"number": "0x64"})
    made = Reader(scripted_node)
    yield made
    await made.tag.stop()
    await made.rpc.close()


async def test_the_tag_is_read_once_in_a_period(reader: Reader) -> None:
    assert await reader.look() == 100
    (request,) = reader.node.requests
    assert (request["method"], request["params"]) == ("eth_getBlockByNumber", ["finalized", False])
    reader.now += PERIOD_S - 1
    assert await reader.look() == 100
    assert len(reader.node.requests) == 1
    reader.node.returns({"number": "0x65"})
    reader.now += 1
    assert await reader.look() == 101


async def test_nothing_is_read_while_nothing_waits(reader: Reader) -> None:
    reader.waits = False
    assert await reader.look() is None
    assert reader.node.requests == []


@pytest.mark.parametrize("answer", [None, {"number": "0x0"}], ids=["null", "the first block"])
async def test_a_node_without_finality_tells_none_and_is_asked_rarely(reader: Reader, answer: Any) -> None:
    reader.node.returns(answer)
    assert await reader.look() is None
    reader.now += UNSUPPORTED_PERIOD_S - 1
    await reader.look()
    assert len(reader.node.requests) == 1
    reader.node.returns({"number": "0x64"})
    reader.now += 1
    assert await reader.look() == 100


async def test_a_node_that_does_not_know_the_tag_tells_none(reader: Reader) -> None:
    reader.node.refuses(-32602, "invalid block tag")
    assert await reader.look() is None
    assert await reader.next() is None
    assert len(reader.node.requests) == 2


@pytest.mark.parametrize("answer", ["0x64", {"number": 100}, {}])
async def test_a_malformed_answer_counts_as_none_until_the_next_period(reader: Reader, answer: Any) -> None:
    assert await reader.look() == 100
    reader.node.returns(answer)
    assert await reader.next() is None
    reader.node.returns({"number": "0x64"})
    reader.now += PERIOD_S
    assert await reader.look() == 100


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ("0x3e9", "finalized block 1001 lies ahead of its head 1000"),
        ("0x63", "finalized block went back from 100 to 99"),
    ],
)
async def test_an_impossible_number_is_ignored_with_one_warning(
    reader: Reader, told: str, problem: str
) -> None:
    assert await reader.look() == 100
    reader.node.returns({"number": told})
    assert await reader.next() == 100
    assert await reader.next() == 100
    (warned,) = reader.ignored
    assert problem in warned


async def test_a_first_number_ahead_of_the_head_tells_none(reader: Reader) -> None:
    assert await reader.look(99) is None
    assert await reader.next(100) == 100


async def test_a_real_node_finalizes_blocks(plain_chain: Chain) -> None:
    rpc = JsonRpc(plain_chain.url)
    await rpc.call("anvil_mine", "0x64")
    tag = FinalizedTag(rpc, waits=lambda: True)
    tag.take(head(100))
    assert tag._reading is not None
    await tag._reading
    assert tag.number is not None
    assert 0 < tag.number <= 100
    await rpc.close()
