"""Blocks and logs: refused ranges, Bloom filters, malformed headers."""

from typing import Any

import pytest
from eth_utils.crypto import keccak
from workerpool_poco.chain.history import ChainHistory
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import LogRangeTooLarge, MalformedNodeAnswer, RpcError
from workerpool_poco.protocol.contracts.events import SchedulerNotice, topic_of
from workerpool_poco.protocol.model import Block

HUB = "0x" + "44" * 20
HEADER = {"number": "0x10", "hash": "0x" + "0b" * 32, "parentHash": "0x" + "0a" * 32, "timestamp": "0x5"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32005, "query returned more than 10000 results"),
        (-32000, "exceed maximum block range: 50000"),
        (-32602, "Log response size exceeded"),
        (-32614, "eth_getLogs is limited to a 10,000 range"),
        (-32600, "You can make eth_getLogs requests with up to a 500 block range."),
        (-32701, "exceed maximum block range: 5000"),
        (-32000, "query timeout"),
    ],
)
async def test_a_refused_log_range_raises_log_range_too_large(
    scripted_node: Any, code: int, message: str
) -> None:
    scripted_node.refuses(code, message)
    hub = HubClient(scripted_node.url, HUB)
    with pytest.raises(LogRangeTooLarge):
        await hub.get_logs(0, 10**6)
    await hub.close()


async def test_other_refusals_of_a_log_query_raise_rpc_error(scripted_node: Any) -> None:
    scripted_node.refuses(-32603, "internal error")
    hub = HubClient(scripted_node.url, HUB)
    with pytest.raises(RpcError, match="internal error"):
        await hub.get_logs(0, 1)
    await hub.close()


def bloom_of(*items: bytes) -> int:
    """Return the filter of logs with these addresses and topics as a number (Yellow Paper, 4.4.3)."""
    found = 0
    for item in items:
        digest = keccak(item)
        for place in (0, 2, 4):
            found |= 1 << int.from_bytes(digest[place : place + 2], "big") % 2048
    return found


async def test_the_bloom_filter_of_a_block_admits_its_events(scripted_node: Any) -> None:
    hub = HubClient(scripted_node.url, HUB)
    emitter, topic = bytes.fromhex(HUB[2:]), topic_of(SchedulerNotice)
    crowd = [number.to_bytes(32, "big") for number in range(1000)]
    for expected, bloom in (
        (True, bloom_of(emitter, topic)),
        (True, bloom_of(emitter, topic, *crowd[:20])),
        (False, 0),
        (False, bloom_of(emitter)),
        (False, bloom_of(topic, b"other")),
        (False, bloom_of(emitter, topic, *crowd)),
        (False, 2**2048 - 1),
    ):
        block = Block(1, bytes(32), bytes(32), 0, bloom.to_bytes(256, "big"))
        assert hub.may_hold(block, [SchedulerNotice]) is expected
    assert not hub.may_hold(Block(1, bytes(32), bytes(32), 0), [SchedulerNotice])
    await hub.close()


async def test_a_header_is_read(scripted_node: Any) -> None:
    scripted_node.returns(HEADER | {"l1BlockNumber": "0x7", "sendRoot": "0x", "sendCount": None})
    history = ChainHistory(JsonRpc(scripted_node.url), HUB)
    assert await history.block() == Block(16, b"\x0b" * 32, b"\x0a" * 32, 5)
    await history.rpc.close()


async def test_an_unknown_block_is_none(scripted_node: Any) -> None:
    history = ChainHistory(JsonRpc(scripted_node.url), HUB)
    assert await history.block(5) is None
    assert await history.block(b"\x01" * 32) is None
    methods = [request["method"] for request in scripted_node.requests]
    assert methods == ["eth_getBlockByNumber", "eth_getBlockByHash"]
    await history.rpc.close()


@pytest.mark.parametrize("header", [{}, "0x1", HEADER | {"hash": None}, HEADER | {"number": "x"}])
async def test_a_malformed_header_is_an_outage(scripted_node: Any, header: Any) -> None:
    scripted_node.returns(header)
    history = ChainHistory(JsonRpc(scripted_node.url), HUB)
    with pytest.raises(MalformedNodeAnswer, match="to eth_getBlock"):
        await history.block()
    await history.rpc.close()


async def test_a_block_without_logs_is_distinguished_from_one_without_logs_of_the_hub(
    scripted_node: Any,
) -> None:
    history = ChainHistory(JsonRpc(scripted_node.url), HUB)
    scripted_node.returns([])
    assert await history.sift_block_logs(b"\x01" * 32) is None
    scripted_node.returns([{"address": "0x" + "55" * 20, "topics": [], "data": "0x"}])
    assert await history.sift_block_logs(b"\x01" * 32) == []
    await history.rpc.close()
