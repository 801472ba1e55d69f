"""The node port against an honest node, and against answers that are unusual and fine."""

import asyncio
from typing import Any

import pytest
from doubles.node import BALANCE, BASE_FEE, BLOCK_HASH, GAS, GAS_PRICE, TIP, Node, answers_http
from workerpool_poco.errors import ChainUnreachable
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.domain.answers import Counts, FeeQuote, GasEstimate, SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Call, Receipt

FIRST, SECOND = "0x" + "01" * 32, "0x" + "02" * 32
CALL = Call("0x" + "35" * 20, b"data", 0)


async def test_counts_and_balance(node: RpcNode) -> None:
    assert await node.counts() == Counts(7, 7, 16)
    assert await node.balance() == BALANCE


async def test_a_node_without_a_pending_count_gives_the_mined_one(chain: Node, node: RpcNode) -> None:
    honest = chain.answer

    def answer(request: Any) -> dict[str, Any]:
        if request["params"] == ["0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A", "pending"]:
            return {"id": request["id"], "error": {"code": -32602, "message": "no pending block"}}
        return honest(request)

    chain.answer = answer  # type: ignore[method-assign]
    assert await node.counts() == Counts(7, 7, 16)


async def test_only_mined_transactions_have_receipts(chain: Node, node: RpcNode) -> None:
    chain.mines(FIRST, status="0x0")
    assert await node.receipts([FIRST, SECOND]) == {FIRST: Receipt(FIRST, False, 9, 21_000, BLOCK_HASH)}
    assert await node.known([SECOND, FIRST]) == {FIRST}
    assert await node.receipts([]) == {}
    assert await node.known([]) == set()


async def test_a_look_reads_counts_and_receipts_in_one_request(chain: Node, node: RpcNode) -> None:
    chain.mines(FIRST)
    counts, receipts = await node.look([FIRST, SECOND])
    assert counts == Counts(7, 7, 16)
    assert receipts == {FIRST: Receipt(FIRST, True, 9, 21_000, BLOCK_HASH)}


async def test_a_pending_receipt_is_no_receipt(chain: Node, node: RpcNode) -> None:
    chain.mines(FIRST, blockNumber=None, blockHash=None, status=None)
    assert await node.receipts([FIRST]) == {}


async def test_receipts_with_fields_of_arbitrum_are_read(chain: Node, node: RpcNode) -> None:
    chain.mines(FIRST, gasUsedForL1="0x10", l1BlockNumber="0x99", type="0x6a", timeboosted=False)
    chain.header |= {"l1BlockNumber": "0x99", "sendCount": "0x1", "sendRoot": "0x" + "00" * 32}
    assert (await node.receipts([FIRST]))[FIRST].succeeded
    assert (await node.quote()).base_fee == BASE_FEE


async def test_fees_with_a_base_fee(chain: Node, node: RpcNode) -> None:
    for _ in range(2):
        assert await node.quote() == FeeQuote(BASE_FEE, BASE_FEE + TIP, TIP)
    assert chain.calls_of("eth_gasPrice") == 0


async def test_fees_without_a_base_fee(chain: Node, node: RpcNode) -> None:
    del chain.header["baseFeePerGas"]
    for _ in range(2):
        assert await node.quote() == FeeQuote(None, GAS_PRICE)
    assert chain.calls_of("eth_maxPriorityFeePerGas") == 0


@pytest.mark.parametrize("has_base_fee", [True, False])
async def test_two_first_quotes_at_once_agree(chain: Node, node: RpcNode, has_base_fee: bool) -> None:
    if not has_base_fee:
        del chain.header["baseFeePerGas"]
    expected = FeeQuote(BASE_FEE, BASE_FEE + TIP, TIP) if has_base_fee else FeeQuote(None, GAS_PRICE)
    assert await asyncio.gather(*(node.quote() for _ in range(3))) == [expected] * 3


async def test_a_node_need_not_suggest_a_tip(chain: Node, node: RpcNode) -> None:
    del chain.results["eth_maxPriorityFeePerGas"]
    for _ in range(3):
        assert await node.quote() == FeeQuote(BASE_FEE, BASE_FEE)
    assert chain.calls_of("eth_maxPriorityFeePerGas") == 1
    chain.results["eth_maxPriorityFeePerGas"] = None
    assert await node.quote() == FeeQuote(BASE_FEE, BASE_FEE)


async def test_a_null_gas_price_is_an_outage_only_where_it_is_needed(chain: Node, node: RpcNode) -> None:
    chain.results["eth_gasPrice"] = None
    assert (await node.quote()).base_fee == BASE_FEE
    del chain.header["baseFeePerGas"]
    with pytest.raises(ChainUnreachable, match="the node answered None to eth_gasPrice"):
        await node.quote()


async def test_estimates_carry_the_block_that_was_known_before(chain: Node, node: RpcNode) -> None:
    assert await node.estimate([CALL, CALL]) == [GasEstimate(GAS, 16)] * 2
    assert chain.requests[0]["method"] == "eth_blockNumber"
    fields = chain.requests[1]["params"][0]
    assert fields["from"] == "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
    assert "gas" not in fields


async def test_a_revert_is_an_answer_with_its_reason(chain: Node, node: RpcNode) -> None:
    data = "0x08c379a0" + "20".zfill(64) + "02".zfill(64) + b"No".hex().ljust(64, "0")
    chain.refuses("eth_estimateGas", 3, "execution reverted", data)
    assert await node.estimate([CALL]) == [GasEstimate(None, 16, "No")]
    chain.refuses("eth_estimateGas", -32000, "gas required exceeds allowance (30000000)")
    assert (await node.estimate([CALL]))[0].problem == "gas required exceeds allowance (30000000)"


async def test_the_nodes_own_trouble_is_no_revert(chain: Node, node: RpcNode) -> None:
    chain.refuses("eth_estimateGas", -32000, "execution aborted (timeout = 5s)")
    with pytest.raises(ChainUnreachable, match="refuses eth_estimateGas: execution aborted"):
        await node.estimate([CALL])


async def test_a_send_is_accepted_or_refused_with_the_nodes_words(chain: Node, node: RpcNode) -> None:
    assert await node.send(b"raw") == SendAnswer(SendOutcome.ACCEPTED)
    chain.refuses("eth_sendRawTransaction", -32000, "nonce too high: tx: 9 state: 5")
    assert await node.send(b"raw") == SendAnswer(SendOutcome.NONCE_TOO_HIGH, "nonce too high: tx: 9 state: 5")
    assert chain.calls_of("eth_sendRawTransaction") == 2


async def test_a_throttled_send_is_busy_and_not_repeated(chain: Node, node: RpcNode) -> None:
    chain.fault = answers_http(429, "slow down")
    assert (await node.send(b"raw")).outcome is SendOutcome.BUSY
    assert chain.calls_of("eth_sendRawTransaction") == 1


async def test_a_send_without_an_answer_is_unreachable_once(chain: Node, node: RpcNode) -> None:
    chain.fault = answers_http(502, "<html>bad gateway</html>")
    with pytest.raises(ChainUnreachable):
        await node.send(b"raw")
    assert chain.calls_of("eth_sendRawTransaction") == 1
