"""What the hub client makes of answers a local chain never gives."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from eth_utils.crypto import keccak
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import ChainUnreachable, LogRangeTooLarge, MalformedAnswer, PocoError, RpcError
from workerpool_poco.protocol.contracts.events import SchedulerNotice, topic_of
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import Block

HUB = "0x" + "44" * 20


def refusing(code: int, message: str) -> Any:
    return lambda request: {
        "jsonrpc": "2.0",
        "id": request["id"],
        "error": {"code": code, "message": message},
    }


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
async def test_a_log_search_that_is_too_large_has_its_own_class(
    scripted_node: Any, code: int, message: str
) -> None:
    scripted_node.answer = refusing(code, message)
    hub = HubClient(scripted_node.url, HUB)
    with pytest.raises(LogRangeTooLarge):
        await hub.get_logs(0, 10**6)
    await hub.close()


async def test_other_refusals_of_a_log_search_stay_what_they_are(scripted_node: Any) -> None:
    scripted_node.answer = refusing(-32603, "internal error")
    hub = HubClient(scripted_node.url, HUB)
    with pytest.raises(RpcError, match="internal error"):
        await hub.get_logs(0, 1)
    await hub.close()


async def test_an_empty_answer_is_no_deal(scripted_node: Any) -> None:
    scripted_node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": "0x"}
    hub = HubClient(scripted_node.url, HUB)
    with pytest.raises(MalformedAnswer):
        await hub.view_deal(bytes(32))
    await hub.close()


async def test_the_chain_id_is_unknown_before_connecting() -> None:
    with pytest.raises(ChainUnreachable):
        _ = HubClient("http://127.0.0.1:9", HUB).chain_id


async def test_the_deadline_ratio_has_a_fallback(scripted_node: Any) -> None:
    scripted_node.answer = refusing(3, "execution reverted")
    hub = HubClient(scripted_node.url, HUB)
    assert await hub.contribution_deadline_ratio() == 7
    await hub.close()


@pytest.mark.parametrize("nonsense", [None, {}, "", "0xzz", 7, [None], [{}], {"number": None}], ids=repr)
async def test_an_answer_of_another_shape_is_the_nodes_error_and_never_ours(
    scripted_node: Any, nonsense: Any
) -> None:
    """Callers wait out what a node says wrong; anything but a PocoError would end their process."""
    scripted_node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": nonsense}
    hub = HubClient(scripted_node.url, HUB)
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "block_number": hub.block_number,
        "block": lambda: hub.block(7),
        "blocks": lambda: hub.blocks([7]),
        "get_logs": lambda: hub.get_logs(0, 1),
        "get_block_logs": lambda: hub.get_block_logs(bytes(32)),
        "view_deal": lambda: hub.view_deal(bytes(32)),
        "view_tasks": lambda: hub.view_tasks([TaskId("0x" + "00" * 32)]),
        "balance": lambda: hub.balance(HUB),
        "balances": lambda: hub.balances([HUB]),
        "connect": hub.connect,
    }
    for name, read in reads.items():
        try:
            found = await read()
        except PocoError:
            continue
        assert found in (None, [None], []), name
    await hub.close()


async def test_no_answer_to_a_call_is_not_an_empty_contract(scripted_node: Any) -> None:
    scripted_node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": None}
    hub = HubClient(scripted_node.url, HUB)
    with pytest.raises(RpcError, match="viewDeal"):
        await hub.view_deal(bytes(32))
    await hub.close()


def bloom_of(*items: bytes) -> int:
    """The filter of logs with these addresses and topics, as a number (Yellow Paper, 4.4.3)."""
    found = 0
    for item in items:
        digest = keccak(item)
        for place in (0, 2, 4):
            found |= 1 << int.from_bytes(digest[place : place + 2], "big") % 2048
    return found


async def test_a_blocks_own_filter_tells_whether_it_may_hold_events(scripted_node: Any) -> None:
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
