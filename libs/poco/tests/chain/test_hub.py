"""The hub client and answers that a local chain never gives."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import ChainUnreachable, MalformedAnswer, MalformedNodeAnswer, PocoError
from workerpool_poco.protocol.ids import DealId, TaskId

HUB = "0x" + "44" * 20


async def test_an_empty_answer_is_malformed(scripted_node: Any) -> None:
    scripted_node.returns("0x")
    hub = HubClient(scripted_node.url, HUB)
    with pytest.raises(MalformedAnswer):
        await hub.view_deal(DealId("0x" + "00" * 32))
    await hub.close()


async def test_the_chain_id_is_unknown_before_connecting() -> None:
    with pytest.raises(ChainUnreachable):
        _ = HubClient("http://127.0.0.1:9", HUB).chain_id


async def test_the_deadline_ratio_has_a_fallback(scripted_node: Any) -> None:
    scripted_node.refuses(3, "execution reverted")
    hub = HubClient(scripted_node.url, HUB)
    assert await hub.contribution_deadline_ratio() == 7
    await hub.close()


@pytest.mark.parametrize("nonsense", [None, {}, "", "0xzz", 7, [None], [{}], {"number": None}], ids=repr)
async def test_an_answer_of_another_shape_raises_poco_error(scripted_node: Any, nonsense: Any) -> None:
    """Callers retry after a PocoError; any other exception would end their process."""
    scripted_node.returns(nonsense)
    hub = HubClient(scripted_node.url, HUB)
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "block_number": hub.block_number,
        "block": lambda: hub.block(7),
        "blocks": lambda: hub.blocks([7]),
        "get_logs": lambda: hub.get_logs(0, 1),
        "get_block_logs": lambda: hub.get_block_logs(bytes(32)),
        "view_deal": lambda: hub.view_deal(DealId("0x" + "00" * 32)),
        "view_tasks": lambda: hub.view_tasks([TaskId("0x" + "00" * 32)]),
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


@pytest.mark.parametrize("nonsense", [None, "0xzz", "", 7], ids=repr)
async def test_a_malformed_answer_to_a_call_is_an_outage(scripted_node: Any, nonsense: Any) -> None:
    scripted_node.returns(nonsense)
    hub = HubClient(scripted_node.url, HUB)
    with pytest.raises(MalformedNodeAnswer, match="viewDeal"):
        await hub.view_deal(DealId("0x" + "00" * 32))
    await hub.close()
