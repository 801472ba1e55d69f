"""Batches of calls: order, missing answers, nodes that take no batches or only small ones."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from workerpool_poco.chain.rpc import MAX_BATCH, JsonRpc
from workerpool_poco.errors import ChainUnreachable, RpcError


def result(request: Any, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request["id"], "result": value}


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
    "refusal",
    [
        lambda: web.json_response(
            {"error": {"code": 31, "message": "Batch of more than 3 requests are not allowed"}}, status=500
        ),
        lambda: {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too large"}},
        lambda: web.Response(status=413, text="<html>Request Entity Too Large</html>"),
        lambda: web.Response(text=""),
    ],
    ids=["http-500", "error", "http-413", "empty"],
)
async def test_a_node_gets_no_batch_that_is_too_large_for_it_again(
    scripted_node: Any, refusal: Callable[[], Any]
) -> None:
    """Providers limit batches to 3, 50 or 1000 calls, each with another refusal."""

    def answer(request: Any) -> Any:
        if not isinstance(request, list):
            return result(request, request["params"][0])
        return refusal() if len(request) > 3 else [result(item, item["params"][0]) for item in request]

    scripted_node.answer = answer
    rpc = JsonRpc(scripted_node.url, backoff=0.001)
    wanted = list(range(24))
    for _ in range(5):
        assert await rpc.batch([("echo", (number,)) for number in wanted]) == wanted
    scripted_node.requests.clear()
    assert await rpc.batch([("echo", (number,)) for number in wanted]) == wanted
    assert [len(request) for request in scripted_node.requests] == [3] * 8
    await rpc.close()


async def test_an_outage_does_not_shrink_batches(scripted_node: Any) -> None:
    scripted_node.answer = lambda _: web.Response(status=502)
    rpc = JsonRpc(scripted_node.url, attempts=2, backoff=0.001)
    with pytest.raises(ChainUnreachable):
        await rpc.batch([("echo", (number,)) for number in range(50)])

    def answer(request: Any) -> Any:
        if isinstance(request, list):
            return [result(item, item["params"][0]) for item in request]
        return result(request, request["params"][0])

    for _ in range(3):
        scripted_node.requests.clear()
        scripted_node.answer = lambda request: (
            web.Response(status=502) if isinstance(request, list) else answer(request)
        )
        assert await rpc.batch([("echo", (number,)) for number in range(50)]) == list(range(50))
        scripted_node.requests.clear()
        scripted_node.answer = answer
        assert await rpc.batch([("echo", (number,)) for number in range(50)]) == list(range(50))
        assert len(scripted_node.requests) == 1
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
