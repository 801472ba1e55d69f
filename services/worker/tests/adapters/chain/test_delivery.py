"""Delivery of transactions on a node that holds some back: no transaction blocks the wallet's later ones."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import structlog
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import TransactionSender
from workerpool_poco.chain.wallet import SignedTransaction, Wallet
from workerpool_poco.errors import ChainUnreachable, RpcError
from workerpool_poco.protocol.contracts.calls import Call
from workerpool_poco.protocol.ids import TaskId, from_hex, to_hex
from workerpool_worker.adapters.chain.delivery import STUCK_AFTER_BLOCKS, Delivery, journal_form
from workerpool_worker.adapters.chain.raw_transaction import decode_transaction
from workerpool_worker.adapters.chain.wallet_chain import WalletChain
from workerpool_worker.domain.record import ReplicateRecord, SentTransaction
from workerpool_worker.errors import ChainUnavailable

from services.worker.tests.harness.waiting import Eventually

TASK_ID = TaskId("0x" + "01" * 32)
COINS = 10**20


class Bench:
    """A wallet with coins on a real node, and a journal of one transaction."""

    def __init__(self, chain: Any, hub: HubClient, heads: HeadStream, wallet: Wallet) -> None:
        self.rpc, self.hub, self.heads, self.wallet = chain.chain.rpc, hub, heads, wallet
        self.journal: list[SentTransaction] = []
        self.unsent_when_journaled: list[bool] = []
        self.open()

    def open(self, **options: Any) -> None:
        """Start as a new process that knows only the journal."""
        self.sender = TransactionSender(self.hub, self.wallet, heads=self.heads, **options)
        self.delivery = Delivery(self.hub, self.heads, self.sender)
        self.chain = WalletChain(self.hub, self.heads, self.sender, self.wallet, self.wallet.address)

    async def close(self) -> None:
        closables: tuple[Any, ...] = (self.delivery, self.chain, self.sender)
        for closing in closables:
            await closing.close()

    async def restart(self, **options: Any) -> None:
        await self.close()
        self.open(**options)

    async def save(self, transaction: SentTransaction) -> None:
        self.unsent_when_journaled.append(self.rpc.call("eth_getTransactionByHash", transaction.hash) is None)
        record = ReplicateRecord(TASK_ID, contribute_tx=transaction)
        restored = ReplicateRecord.from_json(record.to_json()).contribute_tx
        assert restored is not None
        self.journal.append(restored)

    def set_nonce(self, nonce: int) -> None:
        self.rpc.call("anvil_setNonce", self.wallet.address, hex(nonce))

    def mined_nonce(self) -> int:
        return int(self.rpc.call("eth_getTransactionCount", self.wallet.address, "latest"), 16)

    async def signed(self) -> SignedTransaction:
        """Sign the wallet's next transaction, a transfer to itself."""
        signed = await self.sender.prepare(Call(b"", to=self.wallet.address, gas=21_000))
        await self.save(journal_form(signed))
        return signed

    async def signed_to_get_stuck(self) -> SignedTransaction:
        """Sign a transaction that the node will queue behind one that is missing."""
        nonce = self.mined_nonce()
        self.set_nonce(nonce + 1)
        signed = await self.signed()
        self.set_nonce(nonce)
        return signed

    async def get_stuck(self, signed: SignedTransaction, eventually: Eventually) -> None:
        """Set the account's nonce so that the node holds back the next transaction."""
        await eventually(lambda: self.knows(signed.hash))
        self.set_nonce(signed.nonce)
        self.pass_blocks()
        assert self.rpc.call("eth_getTransactionReceipt", to_hex(signed.hash)) is None

    def pass_blocks(self) -> None:
        self.rpc.call("anvil_mine", hex(STUCK_AFTER_BLOCKS + 1))

    def knows(self, transaction_hash: bytes) -> bool:
        """Tell whether the node has a transaction."""
        return self.rpc.call("eth_getTransactionByHash", to_hex(transaction_hash)) is not None


@pytest.fixture
async def bench(fresh_poco_chain: Any, eventually: Eventually) -> AsyncIterator[Bench]:
    wallet = Wallet.create()
    fresh_poco_chain.chain.rpc.call("anvil_setBalance", wallet.address, hex(COINS))
    async with (
        HubClient(fresh_poco_chain.url, fresh_poco_chain.hub) as hub,
        HeadStream(fresh_poco_chain.url) as heads,
    ):
        await eventually(lambda: heads.latest)
        bench = Bench(fresh_poco_chain, hub, heads, wallet)
        yield bench
        await bench.close()


async def test_signed_bytes_are_decoded_with_every_field(bench: Bench) -> None:
    signed = await bench.signed()
    assert decode_transaction(signed.raw) == signed
    for damaged in (b"", signed.raw[:-1], b"\xc0", b"hello"):
        with pytest.raises(ValueError, match="not a"):
            decode_transaction(damaged)


async def test_a_held_back_transaction_is_replaced_and_later_ones_are_mined(
    bench: Bench, eventually: Eventually
) -> None:
    signed = await bench.signed_to_get_stuck()
    delivered = asyncio.create_task(bench.delivery.deliver(signed, bench.save))
    await bench.get_stuck(signed, eventually)
    behind = await bench.sender.submit(Call(b"", to=bench.wallet.address, gas=21_000))

    receipt = await asyncio.wait_for(delivered, 20)
    first, replacement = bench.journal
    assert (to_hex(receipt.transaction_hash), receipt.succeeded) == (replacement.hash, True)
    assert replacement.earlier == (first.hash,)
    assert all(bench.unsent_when_journaled), "journaled before it was sent"
    old, new = (decode_transaction(from_hex(each.raw)).transaction for each in bench.journal)
    assert new.gas_price > old.gas_price
    assert (new.nonce, new.data, new.to, new.gas) == (old.nonce, old.data, old.to, old.gas)
    assert (await bench.sender.wait_receipt(behind, 10)).succeeded


async def test_a_held_back_transaction_is_replaced_after_a_restart(
    bench: Bench, eventually: Eventually
) -> None:
    signed = await bench.signed_to_get_stuck()
    delivered = asyncio.create_task(bench.delivery.deliver(signed, bench.save))
    await bench.get_stuck(signed, eventually)
    delivered.cancel()
    await bench.restart()

    head = bench.chain.head
    resumed = asyncio.create_task(bench.chain.resume(bench.journal[-1], bench.save))
    bench.pass_blocks()
    await eventually(lambda: bench.chain.head > head)
    receipt = await asyncio.wait_for(resumed, 20)
    assert receipt is not None
    assert receipt.transaction_hash == bench.journal[-1].hash != to_hex(signed.hash)


@pytest.mark.parametrize("mined", ["old", "new"])
async def test_after_a_restart_the_receipt_of_either_version_is_found(bench: Bench, mined: str) -> None:
    old = await bench.signed()
    new = await bench.sender.replace(old)
    await bench.save(journal_form(new, [old.hash]))
    bench.rpc.call("eth_sendRawTransaction", to_hex(old.raw if mined == "old" else new.raw))
    await bench.restart()
    receipt = await asyncio.wait_for(bench.chain.resume(bench.journal[-1], bench.save), 10)
    assert receipt is not None
    assert receipt.transaction_hash == to_hex(old.hash if mined == "old" else new.hash)


async def test_a_nonce_used_by_another_transaction_is_given_up(bench: Bench) -> None:
    old = await bench.signed()
    new = await bench.sender.replace(old)
    await bench.save(journal_form(new, [old.hash]))
    bench.set_nonce(old.nonce + 1)
    await bench.restart()
    assert await asyncio.wait_for(bench.chain.resume(bench.journal[-1], bench.save), 10) is None


async def test_a_transaction_at_the_price_cap_waits_and_is_logged_once(
    bench: Bench, eventually: Eventually
) -> None:
    await bench.restart(gas_price_cap=await bench.sender.gas_price())
    signed = await bench.signed_to_get_stuck()
    with structlog.testing.capture_logs() as lines:
        delivered = asyncio.create_task(bench.delivery.deliver(signed, bench.save))
        await bench.get_stuck(signed, eventually)
        await eventually(lambda: lines, 10)
    assert [line["event"] for line in lines] == ["transaction.cap_reached"]
    assert not delivered.done()
    assert len(bench.journal) == 1
    delivered.cancel()


async def test_the_transaction_of_an_aborted_replicate_does_not_block_others(
    bench: Bench, eventually: Eventually
) -> None:
    signed = await bench.signed_to_get_stuck()
    aborted = asyncio.create_task(bench.delivery.deliver(signed, bench.save))
    await bench.get_stuck(signed, eventually)
    aborted.cancel()
    behind = await bench.signed()
    await asyncio.wait_for(bench.delivery.deliver(behind, bench.save), 20)


async def test_a_nonce_left_by_an_earlier_process_is_filled(bench: Bench, eventually: Eventually) -> None:
    left = await bench.signed_to_get_stuck()
    await bench.sender.send(left)
    await bench.get_stuck(left, eventually)
    await bench.restart()
    behind = bench.wallet.sign_transaction(replace(left.transaction, nonce=left.nonce + 1))
    delivered = asyncio.create_task(bench.delivery.deliver(behind, bench.save))
    await eventually(lambda: bench.knows(behind.hash))
    bench.pass_blocks()
    assert (await asyncio.wait_for(delivered, 30)).transaction_hash == behind.hash


async def test_a_node_with_an_old_nonce_delays_the_transaction(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several nodes share one address: one reports the next nonce, another accepts the transaction."""
    first, second = (Call(b"", to=bench.wallet.address, value=value) for value in (1, 2))
    await bench.chain._execute(first, 21_000, bench.save)
    ask, caught_up_at = bench.hub.rpc.call, bench.chain.head + 2

    async def lagging(method: str, *params: Any, **options: Any) -> Any:
        answer = await ask(method, *params, **options)
        if method == "eth_getTransactionCount" and bench.chain.head < caught_up_at:
            return hex(int(answer, 16) - 1)
        return answer

    monkeypatch.setattr(bench.hub.rpc, "call", lagging)
    receipt = await asyncio.wait_for(bench.chain._execute(second, 21_000, bench.save), 20)
    assert receipt.transaction_hash == bench.journal[-1].hash
    assert bench.mined_nonce() == 2


@pytest.mark.parametrize("method", ["eth_estimateGas", "eth_sendRawTransaction"])
async def test_a_rate_limit_is_an_outage_and_no_refusal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """A refusal would end the replicate."""
    transfer, ask, busy = Call(b"", to=bench.wallet.address), bench.hub.rpc.call, True

    async def limited(called: str, *params: Any, **options: Any) -> Any:
        if busy and called == method:
            raise RpcError(called, -32005, "request rate limited")
        return await ask(called, *params, **options)

    monkeypatch.setattr(bench.hub.rpc, "call", limited)
    with pytest.raises(ChainUnreachable, match="rate limited"):
        await bench.chain._execute(transfer, 21_000, bench.save)
    if bench.journal:
        with pytest.raises(ChainUnavailable):
            await bench.chain.resume(bench.journal[-1], bench.save)
    busy = False
    await asyncio.wait_for(bench.chain._execute(transfer, 21_000, bench.save), 20)
    assert bench.mined_nonce() == 1


async def test_a_dropped_transaction_is_resent(bench: Bench, eventually: Eventually) -> None:
    nonce = bench.mined_nonce()
    signed = await bench.signed_to_get_stuck()
    delivered = asyncio.create_task(bench.delivery.deliver(signed, bench.save))
    await eventually(lambda: bench.knows(signed.hash))
    bench.rpc.call("anvil_removePoolTransactions", bench.wallet.address)
    assert not bench.knows(signed.hash)
    bench.set_nonce(nonce + 1)
    assert (await asyncio.wait_for(delivered, 20)).transaction_hash == signed.hash
    assert len(bench.journal) == 1
