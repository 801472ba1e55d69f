import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from workerpool_poco.chain.rpc import MAX_BATCH, JsonRpc
from workerpool_poco.errors import ChainUnreachable, RpcError


def result(request: Any, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request["id"], "result": value}


async def test_a_request_is_retried_until_the_node_answers(scripted_node: Any) -> None:
    def answer(request: Any) -> Any:
        if len(scripted_node.requests) < 3:
            return web.Response(status=503)
        return result(request, "0x7")

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url, attempts=4, backoff=0.001)
    assert await rpc.call("eth_blockNumber") == "0x7"
    assert len(scripted_node.requests) == 3
    await rpc.close()


async def test_attempts_are_bounded(scripted_node: Any) -> None:
    scripted_node.answer = lambda _: web.Response(text="<html>not JSON-RPC</html>")
    rpc = JsonRpc(scripted_node.url, attempts=3, backoff=0.001)
    with pytest.raises(ChainUnreachable):
        await rpc.call("eth_blockNumber")
    assert len(scripted_node.requests) == 3
    await rpc.close()


async def test_a_node_that_hangs_is_unreachable_after_the_time_limit(scripted_node: Any) -> None:
    scripted_node.before = lambda: asyncio.sleep(30)
    rpc = JsonRpc(scripted_node.url, attempts=2, backoff=0.001, timeout=0.05)
    async with asyncio.timeout(5):
        with pytest.raises(ChainUnreachable):
            await rpc.call("eth_blockNumber")
    await rpc.close()


async def test_an_error_answer_is_not_retried(scripted_node: Any) -> None:
    scripted_node.answer = lambda request: {
        "jsonrpc": "2.0",
        "id": request["id"],
        "error": {"code": -32601, "message": "no such method", "data": "0x"},
    }
    rpc = JsonRpc(scripted_node.url)
    with pytest.raises(RpcError) as caught:
        await rpc.call("eth_nothing")
    assert (caught.value.code, caught.value.message, caught.value.data) == (-32601, "no such method", "0x")
    assert len(scripted_node.requests) == 1
    await rpc.close()


async def test_a_read_of_a_pruned_block_is_retried_at_once(scripted_node: Any) -> None:
    gone = {"code": -32602, "message": "BlockOutOfRangeError: block height is 77 but requested was 76"}

    def answer(request: Any) -> Any:
        if isinstance(request, list):
            return [{"jsonrpc": "2.0", "id": item["id"], "error": gone} for item in request]
        if len(scripted_node.requests) in (1, 2):
            return {"jsonrpc": "2.0", "id": request["id"], "error": gone}
        return result(request, "0x7")

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url)
    assert await rpc.call("eth_call", {}, "latest") == "0x7"
    assert await rpc.batch([("eth_call", ({}, "latest"))] * 2) == ["0x7", "0x7"]
    await rpc.close()


async def test_a_batch_that_reached_a_lagging_node_is_retried_as_a_batch(scripted_node: Any) -> None:
    """Behind a load balancer a repeated batch reaches another node; single requests would reach all of them."""
    lags = {"code": -32000, "message": "header not found"}

    def answer(requests: Any) -> Any:
        if len(scripted_node.requests) < 3:
            return [{"jsonrpc": "2.0", "id": item["id"], "error": lags} for item in requests]
        return [result(item, "0x7") for item in requests]

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url, backoff=0.001)
    assert await rpc.batch([("eth_call", ({}, "0x9"))] * 50) == ["0x7"] * 50
    assert len(scripted_node.requests) == 3
    await rpc.close()


async def test_a_pruned_state_costs_a_batch_few_requests(scripted_node: Any) -> None:
    gone = {"code": -32000, "message": "missing trie node"}

    def answer(request: Any) -> Any:
        several = request if isinstance(request, list) else [request]
        refused = [{"jsonrpc": "2.0", "id": item["id"], "error": gone} for item in several]
        return refused if isinstance(request, list) else refused[0]

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url, backoff=0.001)
    outcomes = await rpc.batch([("eth_call", ({}, "0x9"))] * 50)
    assert all(isinstance(outcome, RpcError) and outcome.state_gone for outcome in outcomes)
    assert len(scripted_node.requests) < 10
    await rpc.close()


async def test_a_batch_is_split_keeps_its_order_and_reports_each_refusal(scripted_node: Any) -> None:
    def answer(requests: Any) -> Any:
        answers = [result(request, request["params"][0]) for request in requests]
        answers[0] = {"jsonrpc": "2.0", "id": requests[0]["id"], "error": {"code": 3, "message": "reverted"}}
        return answers[::-1]

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url)
    answers = await rpc.batch([("echo", (number,)) for number in range(MAX_BATCH + 10)])
    assert [len(request) for request in scripted_node.requests] == [MAX_BATCH, 10]
    refused = [0, MAX_BATCH]
    for number, value in enumerate(answers):
        if number in refused:
            assert isinstance(value, RpcError)
        else:
            assert value == number
    await rpc.close()


async def test_a_node_without_batch_support_gets_single_requests(scripted_node: Any) -> None:
    def answer(request: Any) -> Any:
        if isinstance(request, list):
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches"}}
        return result(request, request["params"][0])

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url)
    assert await rpc.batch([("echo", (number,)) for number in range(5)]) == [0, 1, 2, 3, 4]
    await rpc.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answers: [
            {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no id"}},
            *answers[1:],
        ],
        lambda answers: [None, *answers[1:]],
        lambda answers: ["busy", *answers[1:]],
        lambda answers: answers[1:],
        lambda answers: [answers[1], *answers[1:]],
        lambda answers: [],
    ],
    ids=["without-id", "null", "text", "one-missing", "one-twice", "none"],
)
async def test_a_missing_answer_of_a_batch_is_requested_alone(
    scripted_node: Any, spoil: Callable[[list[Any]], list[Any]]
) -> None:
    def answer(request: Any) -> Any:
        if isinstance(request, list):
            return spoil([result(item, item["params"][0]) for item in request])
        return result(request, request["params"][0])

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url)
    assert await rpc.batch([("echo", (number,)) for number in range(5)]) == [0, 1, 2, 3, 4]
    await rpc.close()


@pytest.mark.parametrize("code", [None, "oops", {}, 7.5], ids=repr)
async def test_an_error_without_a_usable_code_is_an_error(scripted_node: Any, code: Any) -> None:
    scripted_node.answer = lambda request: {"id": request["id"], "error": {"code": code, "message": "no"}}
    rpc = JsonRpc(scripted_node.url)
    with pytest.raises(RpcError, match="no"):
        await rpc.call("eth_blockNumber")
    await rpc.close()


async def test_an_answer_with_neither_result_nor_error_is_an_error(scripted_node: Any) -> None:
    scripted_node.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"]}
    rpc = JsonRpc(scripted_node.url)
    with pytest.raises(RpcError, match="neither"):
        await rpc.call("eth_blockNumber")
    await rpc.close()


async def test_a_refusal_is_read_with_any_http_status(scripted_node: Any) -> None:
    """Providers send such statuses for log ranges that are too large."""
    refusal = {"jsonrpc": "2.0", "error": {"code": -32614, "message": "limited to a 10,000 range"}}
    scripted_node.answer = lambda request: web.json_response(refusal | {"id": request["id"]}, status=413)
    rpc = JsonRpc(scripted_node.url)
    with pytest.raises(RpcError, match="10,000 range"):
        await rpc.call("eth_getLogs", {})
    assert len(scripted_node.requests) == 1
    await rpc.close()


@pytest.mark.parametrize(
    "busy",
    [
        lambda error: web.json_response({"error": error}, status=429),
        lambda error: {"error": error},
    ],
    ids=["http-429", "http-200"],
)
async def test_a_throttled_request_is_retried_later(
    scripted_node: Any, busy: Callable[[dict[str, Any]], Any]
) -> None:
    def answer(request: Any) -> Any:
        if len(scripted_node.requests) < 3:
            return busy({"code": -32005, "message": "Too Many Requests: request rate exceeded"})
        return result(request, "0x7")

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url, attempts=4, backoff=0.001)
    assert await rpc.call("eth_blockNumber") == "0x7"
    await rpc.close()


@pytest.mark.parametrize("status", [None, 401, 503], ids=str)
async def test_secrets_in_the_node_url_are_never_in_messages(scripted_node: Any, status: int | None) -> None:
    """Providers put API keys into the URL, and error messages end up in logs."""
    scripted_node.answer = lambda _: web.Response(status=status or 200, text="no")
    host = scripted_node.url.removeprefix("http://") if status else "127.0.0.1:9"
    rpc = JsonRpc(f"http://user:password@{host}/?key=sesame", attempts=1)
    with pytest.raises(ChainUnreachable) as caught:
        await rpc.call("eth_blockNumber")
    assert f"http://{host} " in str(caught.value)
    assert not any(word in str(caught.value) for word in ("user", "password", "sesame"))
    await rpc.close()
