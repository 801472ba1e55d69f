import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from patience import PATIENCE_S
from workerpool_devnet.chain.anvil import Chain
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import ChainUnreachable, RpcError, WrongChain


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
    scripted_node.before = lambda: asyncio.sleep(10 * PATIENCE_S)
    rpc = JsonRpc(scripted_node.url, attempts=2, backoff=0.001, timeout=0.05)
    async with asyncio.timeout(PATIENCE_S):
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


async def test_a_node_of_another_chain_on_a_new_connection_is_not_believed(tmp_path: Path) -> None:
    """Another node may take the place of a dead one; the answer of its first request is dropped."""
    chain = Chain(log=tmp_path / "one.log")
    await asyncio.to_thread(chain.start)
    rpc = JsonRpc(chain.url, attempts=20)
    try:
        rpc.expect_chain(chain.chain_id)
        assert int(await rpc.call("eth_blockNumber"), 16) >= 0
        chain.stop()
        other = chain = Chain(log=tmp_path / "two.log", port=chain.port, chain_id=4242)
        await asyncio.to_thread(other.start)
        for _ in range(2):
            with pytest.raises(WrongChain, match="serves chain 4242, not 65535"):
                await rpc.call("eth_blockNumber")
        with pytest.raises(WrongChain):
            await rpc.batch([("eth_blockNumber", ()), ("eth_gasPrice", ())])
        other.stop()
        chain = Chain(log=tmp_path / "three.log", port=other.port)
        await asyncio.to_thread(chain.start)
        assert int(await rpc.call("eth_blockNumber"), 16) >= 0
    finally:
        await rpc.close()
        chain.stop()


async def test_the_chain_is_checked_once_per_connection(scripted_node: Any) -> None:
    scripted_node.answer = lambda request: result(request, "0x1")
    rpc = JsonRpc(scripted_node.url)
    rpc.expect_chain(1)
    for _ in range(5):
        await rpc.call("eth_blockNumber")
    methods = [request["method"] for request in scripted_node.requests]
    assert methods == ["eth_blockNumber", "eth_chainId", *["eth_blockNumber"] * 4]
    await rpc.close()
