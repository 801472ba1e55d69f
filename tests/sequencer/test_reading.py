import asyncio
from typing import Any

import aiohttp
import pytest
from patience import PATIENCE_S

from sequencer.behaviour import MEMPOOL, SEQUENCER
from sequencer.conftest import Client, Serve
from sequencer.errors import LOG_WORDS


async def test_without_a_switch_everything_passes_through(serve: Serve) -> None:
    async with serve(MEMPOOL) as client:
        block = await client.result("eth_getBlockByNumber", "latest", False)
        assert block == client.chain.rpc.call("eth_getBlockByNumber", block["number"], False)
        assert (await client.ask("eth_nonsense"))["error"]["code"] == -32601


async def test_headers_are_those_of_nitro(serve: Serve) -> None:
    async with serve(SEQUENCER) as client:
        block = await client.result("eth_getBlockByNumber", "latest", False)
        assert int(block["gasLimit"], 16) == 2**50
        assert {"l1BlockNumber", "sendCount", "sendRoot"} <= set(block)
        wallet = client.funded("internal")
        await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        full = await client.result("eth_getBlockByNumber", "latest", True)
        assert [sent["type"] for sent in full["transactions"]] == ["0x6a", "0x0"]


async def test_the_price_is_the_base_fee_without_a_tip(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05) as client:
        wallet = client.funded("price")
        await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        await client.result("eth_sendRawTransaction", client.signed(wallet, 1))
        assert int(await client.result("eth_gasPrice"), 16) == SEQUENCER.base_fee_wei
        assert await client.result("eth_maxPriorityFeePerGas") == "0x0"


async def test_the_pending_count_is_the_latest_one(serve: Serve) -> None:
    # The blocks are rare, so that the transaction stays in the pool of anvil.
    async with serve(SEQUENCER, block_time_s=30.0) as client:
        client.chain.stop_mining()
        wallet = client.funded("pending")
        client.chain.rpc.call("eth_sendRawTransaction", client.signed(wallet, 0))
        assert client.chain.rpc.call("eth_getTransactionCount", wallet.address, "pending") == "0x1"
        assert await client.result("eth_getTransactionCount", wallet.address, "pending") == "0x0"
        client.chain.mine_at_once()


@pytest.mark.parametrize("method", ["eth_newFilter", "eth_newBlockFilter", "eth_subscribe"])
async def test_there_are_no_filters(serve: Serve, method: str) -> None:
    async with serve(SEQUENCER) as client:
        assert await client.refusal(method, {}) == f"the method {method} does not exist/is not available"


async def test_a_websocket_is_refused_or_relayed(serve: Serve) -> None:
    async with serve(SEQUENCER) as client:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.http.ws_connect(client.proxy.url)
    async with serve(MEMPOOL) as client, client.http.ws_connect(client.proxy.url) as socket:
        await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
        assert (await socket.receive_json())["result"]
        client.chain.mine()
        assert (await socket.receive_json())["params"]["result"]["number"]


@pytest.mark.parametrize("words", LOG_WORDS)
async def test_a_range_of_logs_above_the_limit_is_refused_in_a_providers_words(
    serve: Serve, words: str
) -> None:
    async with serve(MEMPOOL, log_range=10, log_words=words) as client:
        client.chain.mine(12)
        head = client.head()
        wanted = {"fromBlock": hex(head - 9), "toBlock": hex(head)}
        assert await client.result("eth_getLogs", wanted) == []
        answer = await client.ask("eth_getLogs", wanted | {"fromBlock": hex(head - 10)})
        assert answer["error"]["code"] == LOG_WORDS[words][0]


async def receipt_of(client: Client, sent: str) -> Any:
    """Return the receipt from the chain itself, which answers a send before it mines."""
    async with asyncio.timeout(PATIENCE_S):
        while (found := client.chain.rpc.call("eth_getTransactionReceipt", sent)) is None:
            await asyncio.sleep(0.01)
    return found


async def test_a_lagging_back_end_knows_nothing_newer(serve: Serve) -> None:
    async with serve(MEMPOOL, lag_blocks=3) as client:
        wallet = client.funded("lag")
        client.chain.mine_at_once()
        sent = client.chain.rpc.call("eth_sendRawTransaction", client.signed(wallet, 0))
        mined = int((await receipt_of(client, sent))["blockNumber"], 16)
        assert await client.result("eth_getTransactionReceipt", sent) is None
        assert await client.result("eth_getTransactionCount", wallet.address, "latest") == "0x0"
        assert int(await client.result("eth_blockNumber"), 16) < mined
        assert await client.result("eth_getBlockByNumber", hex(mined), False) is None
        assert await client.result("eth_getLogs", {"fromBlock": hex(mined)}) == []
        client.chain.mine(3)
        assert (await client.result("eth_getTransactionReceipt", sent))["status"] == "0x1"
        assert await client.result("eth_getTransactionCount", wallet.address, "latest") == "0x1"


async def test_a_share_of_the_answers_lags(serve: Serve) -> None:
    async with serve(MEMPOOL, lag_blocks=3, lag_probability=0.4) as client:
        client.chain.stop_mining()
        heads = [int(await client.result("eth_blockNumber"), 16) for _ in range(50)]
        assert set(heads) == {client.head(), client.head() - 3}
        assert 5 < heads.count(client.head() - 3) < 35
        client.chain.mine_at_once()


async def mined(client: Client, role: str) -> Any:
    client.chain.mine_at_once()
    sent = client.chain.rpc.call("eth_sendRawTransaction", client.signed(client.funded(role), 0))
    await receipt_of(client, sent)
    return sent


async def test_answers_are_null_or_pending(serve: Serve) -> None:
    async with serve(MEMPOOL, null_receipt_probability=1.0, null_gas_price_probability=1.0) as client:
        sent = await mined(client, "null")
        assert await client.result("eth_getTransactionReceipt", sent) is None
        assert await client.result("eth_gasPrice") is None
    async with serve(MEMPOOL, pending_receipt_probability=1.0) as client:
        receipt = await client.result("eth_getTransactionReceipt", sent)
        assert receipt["transactionHash"] == sent
        assert receipt["blockNumber"] is None


async def test_an_estimate_reverts_though_it_would_not(serve: Serve) -> None:
    async with serve(MEMPOOL, stale_revert_probability=1.0) as client:
        wallet = client.funded("estimate")
        call = {"from": wallet.address, "to": wallet.address}
        answer = await client.ask("eth_estimateGas", call)
        assert answer["error"] == {"code": 3, "message": "execution reverted", "data": "0x"}


async def test_a_batch_of_a_sequencer_runs_serially(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.2) as client:
        wallet = client.funded("batch")
        calls = [
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "eth_sendRawTransaction",
                "params": [client.signed(wallet, number)],
            }
            for number in range(3)
        ]
        before = client.head()
        async with client.http.post(client.proxy.url, json=calls) as response:
            answers = await response.json()
        assert [answer["id"] for answer in answers] == [0, 1, 2]
        assert client.head() == before + 3
