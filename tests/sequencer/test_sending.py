import asyncio
import time

from patience import PATIENCE_S

from sequencer.behaviour import SEQUENCER
from sequencer.conftest import GWEI, Serve


async def test_a_send_is_answered_once_its_transaction_is_in_a_block(serve: Serve) -> None:
    async with serve(SEQUENCER) as client:
        wallet = client.funded("sequenced")
        name = await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        receipt = await client.result("eth_getTransactionReceipt", name)
        assert receipt["status"] == "0x1"
        assert int(receipt["effectiveGasPrice"], 16) == GWEI


async def test_blocks_come_only_with_transactions(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05) as client:
        wallet = client.funded("silence")
        await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        before = client.head()
        await asyncio.sleep(1.5)  # longer than the interval in which anvil mined by itself
        assert client.head() == before
        await client.result("eth_sendRawTransaction", client.signed(wallet, 1))
        assert client.head() == before + 1


async def test_a_transaction_of_a_client_of_anvil_is_mined_too(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05) as client:
        wallet = client.funded("beside")
        await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        sent = client.chain.rpc.call("eth_sendRawTransaction", client.signed(wallet, 1))
        async with asyncio.timeout(PATIENCE_S):
            while client.chain.rpc.call("eth_getTransactionReceipt", sent) is None:
                await asyncio.sleep(0.02)


async def test_a_nonce_waits_for_the_one_below_it(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05, gap_hold_s=60.0) as client:
        wallet = client.funded("order")
        second = asyncio.create_task(client.result("eth_sendRawTransaction", client.signed(wallet, 1)))
        await asyncio.sleep(0.1)
        await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        assert await second


async def test_a_gap_is_refused_after_its_time_and_the_same_bytes_are_accepted_later(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05, gap_hold_s=0.5) as client:
        wallet = client.funded("gap")
        raw, asked = client.signed(wallet, 1), time.monotonic()
        message = await client.refusal("eth_sendRawTransaction", raw)
        assert time.monotonic() - asked >= 0.5
        assert message == f"nonce too high: address {wallet.address}, tx: 1 state: 0"
        await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        assert await client.result("eth_sendRawTransaction", raw)


async def test_a_used_nonce_is_refused(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05) as client:
        wallet = client.funded("used")
        await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        message = await client.refusal("eth_sendRawTransaction", client.signed(wallet, 0))
        assert message == f"nonce too low: address {wallet.address}, tx: 0 state: 1"


async def test_an_offer_below_the_base_fee_is_refused_in_nitros_words(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05) as client:
        wallet = client.funded("fees")
        await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        base = SEQUENCER.base_fee_wei
        message = await client.refusal("eth_sendRawTransaction", client.signed(wallet, 1, base - 1))
        assert message == (
            f"max fee per gas less than block base fee: address {wallet.address}, "
            f"maxFeePerGas: {base - 1}, baseFee: {base}"
        )
        name = await client.result("eth_sendRawTransaction", client.signed(wallet, 1, base))
        block = await client.result("eth_getBlockByNumber", "latest", False)
        assert int(block["baseFeePerGas"], 16) == base
        assert name in block["transactions"]


async def test_the_base_fee_rises_between_pricing_and_sending(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05) as client:
        wallet = client.funded("spikes")
        await client.result("eth_sendRawTransaction", client.signed(wallet, 0))
        client.proxy.behaviour = client.proxy.behaviour.changed({"spike_probability": 1.0})
        base = SEQUENCER.base_fee_wei
        await asyncio.sleep(0.3)
        message = await client.refusal("eth_sendRawTransaction", client.signed(wallet, 1, base))
        assert message.endswith(f"baseFee: {base * 14 // 10}")
        assert await client.result("eth_sendRawTransaction", client.signed(wallet, 1, 2 * base))


async def test_an_exceeded_deadline_was_not_executed(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05, deadline_probability=1.0, late_s=0.1) as client:
        wallet = client.funded("deadline")
        message = await client.refusal("eth_sendRawTransaction", client.signed(wallet, 0))
        assert message == "context deadline exceeded"
        client.proxy.behaviour = client.proxy.behaviour.changed({"deadline_probability": 0.0})
        assert await client.result("eth_sendRawTransaction", client.signed(wallet, 0))


async def test_a_late_answer_was_executed(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05, late_probability=1.0, late_s=60.0) as client:
        wallet = client.funded("late")
        answer = asyncio.create_task(client.ask("eth_sendRawTransaction", client.signed(wallet, 0)))
        async with asyncio.timeout(PATIENCE_S):
            while await client.result("eth_getTransactionCount", wallet.address, "latest") != "0x1":
                await asyncio.sleep(0.02)
        assert not answer.done()
        answer.cancel()


async def test_a_dropped_transaction_is_accepted_under_its_hash_and_can_be_sent_again(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05, drop_probability=1.0) as client:
        wallet = client.funded("drop")
        raw = client.signed(wallet, 0)
        name = await client.result("eth_sendRawTransaction", raw)
        assert await client.result("eth_getTransactionReceipt", name) is None
        client.proxy.behaviour = client.proxy.behaviour.changed({"drop_probability": 0.0})
        assert await client.result("eth_sendRawTransaction", raw) == name
        assert client.proxy.calls()["sends"] == {"dropped": 1, "executed": 1}


async def test_a_synchronous_send_answers_with_the_receipt(serve: Serve) -> None:
    async with serve(SEQUENCER, block_time_s=0.05) as client:
        wallet = client.funded("synchronous")
        receipt = await client.result("eth_sendRawTransactionSync", client.signed(wallet, 0))
        assert receipt["status"] == "0x1"
        assert receipt["gasUsedForL1"] == "0x2710"
