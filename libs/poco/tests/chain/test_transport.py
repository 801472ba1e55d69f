from typing import Any

import aiohttp
import pytest
from aiohttp import web
from patience import PATIENCE_S
from workerpool_poco.chain.transport import Transport


@pytest.fixture
async def transport(scripted_node: Any) -> Any:
    transport = Transport(scripted_node.url, timeout=PATIENCE_S, max_connections=1)
    yield transport
    await transport.close()


async def test_a_batch_is_sorted_by_its_calls(scripted_node: Any, transport: Transport) -> None:
    scripted_node.answer = lambda bodies: web.json_response(
        [{"id": body["id"], "result": body["method"]} for body in reversed(bodies[:-1])]
    )
    first, second, missing = await transport.request_batch([("a", ()), ("b", ()), ("c", ())])
    assert (first["result"], second["result"], missing) == ("a", "b", None)


async def test_an_answer_of_any_shape_is_returned(scripted_node: Any, transport: Transport) -> None:
    scripted_node.answer = lambda body: web.json_response("no object")
    assert await transport.request("eth_chainId", ()) == "no object"
    assert await transport.request_batch([("a", ()), ("b", ())]) == "no object"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_a_status_that_may_pass_raises(scripted_node: Any, transport: Transport, status: int) -> None:
    scripted_node.answer = lambda body: web.json_response({"error": {"message": "later"}}, status=status)
    with pytest.raises(aiohttp.ClientResponseError):
        await transport.request("eth_chainId", ())


async def test_a_json_rpc_error_is_returned_with_any_other_status(
    scripted_node: Any, transport: Transport
) -> None:
    scripted_node.answer = lambda body: web.json_response({"error": {"message": "no"}}, status=400)
    assert (await transport.request("eth_chainId", ()))["error"] == {"message": "no"}
    scripted_node.answer = lambda body: web.json_response({"hint": "not JSON-RPC"}, status=404)
    with pytest.raises(aiohttp.ClientResponseError):
        await transport.request("eth_chainId", ())


async def test_a_closed_transport_opens_again(scripted_node: Any, transport: Transport) -> None:
    await transport.request("eth_chainId", ())
    await transport.close()
    assert await transport.request("eth_chainId", ()) is not None
