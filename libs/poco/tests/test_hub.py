"""What the hub client makes of answers a local chain never gives."""

from typing import Any

import pytest
from workerpool_poco.contract_text import MalformedAnswer
from workerpool_poco.hub import ChainUnreachable, HubClient, LogRangeTooLarge
from workerpool_poco.rpc import RpcError

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
