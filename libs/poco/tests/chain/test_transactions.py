"""The sender against a real node: nonces, prices, refusals, receipts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transaction_errors import classify, revert_reason
from workerpool_poco.chain.transactions import (
    TRANSFER_GAS,
    GasPriceCapReached,
    NodeUnreachable,
    NonceTooLow,
    OutOfGas,
    ReceiptTimeout,
    ReplacementUnderpriced,
    Reverted,
    TransactionError,
    TransactionRejected,
    TransactionSender,
    Underpriced,
)
from workerpool_poco.chain.wallet import Transaction, Wallet
from workerpool_poco.errors import RpcError
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.contracts.calls import Call
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.orders import AppOrder, RequestOrder, WorkerpoolOrder

NOBODY = "0x" + "77" * 20


@pytest.fixture(scope="module")
def own_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocoChain]:
    """Return a chain whose mining these tests may stop."""
    with Chain(log=tmp_path_factory.mktemp("own") / "chain.log") as chain:
        yield PocoChain(chain, deployment.deploy(chain.rpc, accounts.deployer(chain.rpc)))


@pytest.fixture
async def hub(own_chain: PocoChain) -> AsyncIterator[HubClient]:
    async with HubClient(own_chain.url, own_chain.hub) as client:
        yield client


@pytest.fixture
async def wallet(own_chain: PocoChain) -> Wallet:
    fresh = Wallet.create()
    await asyncio.to_thread(own_chain.chain.rpc.call, "anvil_setBalance", fresh.address, hex(10**20))
    return fresh


@pytest.fixture
async def sender(hub: HubClient, wallet: Wallet) -> AsyncIterator[TransactionSender]:
    async with TransactionSender(hub, wallet) as made:
        yield made


@contextlib.asynccontextmanager
async def no_mining(chain: PocoChain) -> AsyncIterator[None]:
    """Keep transactions in the node's pool while the block runs."""
    await asyncio.to_thread(chain.chain.stop_mining)
    try:
        yield
    finally:
        await asyncio.to_thread(chain.chain.mine_at_once)


def gift(wei: int = 1) -> Call:
    return Call(b"", to=NOBODY, value=wei, gas=TRANSFER_GAS)


async def test_many_in_flight_have_consecutive_nonces(
    own_chain: PocoChain, hub: HubClient, sender: TransactionSender
) -> None:
    before = await hub.balance(NOBODY)
    async with no_mining(own_chain):
        hashes = await asyncio.gather(*(sender.submit(gift()) for _ in range(50)))
        assert len(set(hashes)) == 50
    receipts = await asyncio.gather(*(sender.wait_receipt(item) for item in hashes))
    assert all(receipt.succeeded for receipt in receipts)
    assert await hub.balance(NOBODY) == before + 50


async def test_preparing_and_sending_are_separate_steps(sender: TransactionSender) -> None:
    first, second = await sender.prepare(gift()), await sender.prepare(gift())
    assert (first.nonce, second.nonce) == (0, 1)
    assert await sender.send(first) == first.hash
    assert await sender.send(second) == second.hash
    receipt = await sender.wait_receipt(second.hash)
    assert receipt.transaction_hash == second.hash
    assert await sender.send(first) == first.hash, "sending again does no harm, mined or not"


async def test_an_abandoned_nonce_is_reused(sender: TransactionSender) -> None:
    first = await sender.prepare(gift())
    await sender.abandon(first)
    assert (await sender.prepare(gift())).nonce == first.nonce


async def test_an_abandoned_nonce_does_not_block_later_transactions(sender: TransactionSender) -> None:
    first, second = await sender.prepare(gift()), await sender.prepare(gift())
    await sender.send(second)
    await sender.abandon(first)
    assert (await sender.wait_receipt(second.hash, 20)).succeeded


async def test_a_filler_uses_a_nonce_and_moves_no_coins(hub: HubClient, sender: TransactionSender) -> None:
    lost, waiting = await sender.prepare(gift()), await sender.prepare(gift())
    await sender.send(waiting)
    before = await hub.balance(sender.wallet.address)
    filler = await sender.sign_filler(lost.nonce)
    assert (filler.nonce, filler.transaction.value, filler.transaction.gas) == (lost.nonce, 0, TRANSFER_GAS)
    await sender.send(filler)
    receipts = [await sender.wait_receipt(each.hash, 20) for each in (filler, waiting)]
    assert [receipt.gas_used for receipt in receipts] == [TRANSFER_GAS, TRANSFER_GAS]
    fees = sum(each.transaction.gas_price for each in (filler, waiting)) * TRANSFER_GAS
    assert await hub.balance(sender.wallet.address) == before - fees - 1


async def test_a_nonce_used_by_another_sender_is_detected(hub: HubClient, wallet: Wallet) -> None:
    async with TransactionSender(hub, wallet) as one, TransactionSender(hub, wallet) as other:
        stale = await one.prepare(gift())
        await other.execute(gift(2))
        with pytest.raises(NonceTooLow):
            await one.send(stale)
        assert (await one.execute(gift())).succeeded


async def test_a_wallet_without_coins_is_out_of_gas(hub: HubClient) -> None:
    async with TransactionSender(hub, Wallet.create()) as poor:
        with pytest.raises(OutOfGas):
            await poor.submit(gift())
        assert await poor.affordable_transactions() == 0


async def test_a_call_that_would_revert_is_not_sent(hub: HubClient, sender: TransactionSender) -> None:
    with pytest.raises(Reverted):
        await sender.submit(calls.claim(TaskId("0x" + "01" * 32)))
    assert (await sender.prepare(gift())).nonce == 0


async def test_a_revert_on_chain_is_in_the_receipt(sender: TransactionSender) -> None:
    doomed = Call(calls.claim(TaskId("0x" + "01" * 32)).data, gas=200_000)
    receipt = await sender.wait_receipt(await sender.submit(doomed))
    assert not receipt.succeeded
    with pytest.raises(Reverted):
        await sender.execute(doomed)


async def test_the_revert_reason_is_kept(sender: TransactionSender) -> None:
    other_category = calls.match_orders(
        AppOrder(app=NOBODY),
        WorkerpoolOrder(workerpool=NOBODY, category=1),
        RequestOrder(app=NOBODY, requester=NOBODY, category=2),
    )
    with pytest.raises(Reverted) as caught:
        await sender.submit(other_category)
    assert caught.value.reason == "iExecV5-matchOrders-0x00"


async def test_the_gas_price_is_multiplied_and_capped(hub: HubClient, wallet: Wallet) -> None:
    network = int(await hub.rpc.call("eth_gasPrice"), 16)
    async with TransactionSender(hub, wallet, gas_price_multiplier=1.5) as generous:
        assert await generous.gas_price() >= network
    async with TransactionSender(hub, wallet, gas_price_cap=network // 2) as thrifty:
        assert await thrifty.gas_price() == network // 2
    async with TransactionSender(hub, wallet, gas_price_cap=0) as free:
        assert await free.gas_price() == 0
        assert await free.affordable_transactions() == float("inf")


async def test_a_price_below_the_base_fee_is_underpriced(hub: HubClient, wallet: Wallet) -> None:
    async with TransactionSender(hub, wallet, gas_price_cap=1) as thrifty:
        with pytest.raises(Underpriced):
            await thrifty.submit(gift())
        assert (await thrifty.prepare(gift())).nonce == 0, "the nonce is free again"


async def test_a_pending_transaction_is_replaced_at_a_higher_price(
    own_chain: PocoChain, sender: TransactionSender
) -> None:
    async with no_mining(own_chain):
        first = await sender.prepare(gift())
        await sender.send(first)
        better = await sender.replace(first)
        assert better.nonce == first.nonce
        assert better.transaction.gas_price >= first.transaction.gas_price * 9 // 8
        await sender.send(better)
        old = first.transaction
        same_price = Transaction(old.nonce, old.gas_price, old.gas, old.to, 2, old.data, old.chain_id)
        with pytest.raises(ReplacementUnderpriced):
            await sender.send(sender.wallet.sign_transaction(same_price))
    assert (await sender.wait_receipt(better.hash)).succeeded
    assert (await sender.execute(gift())).succeeded


async def test_the_cap_also_holds_for_replacements(hub: HubClient, wallet: Wallet) -> None:
    price = int(await hub.rpc.call("eth_gasPrice"), 16)
    async with TransactionSender(hub, wallet, gas_price_cap=price) as thrifty:
        with pytest.raises(GasPriceCapReached):
            await thrifty.replace(await thrifty.prepare(gift()))


async def test_waiting_for_a_receipt_times_out(own_chain: PocoChain, sender: TransactionSender) -> None:
    async with no_mining(own_chain):
        sent = await sender.submit(gift())
        with pytest.raises(ReceiptTimeout):
            await sender.wait_receipt(sent, 0.05)
    assert (await sender.wait_receipt(sent)).succeeded


async def test_a_lost_transaction_leaves_no_nonce_gap(
    own_chain: PocoChain, wallet: Wallet, scripted_node: Any
) -> None:
    """The node is down while the transaction is sent, and comes back."""
    down = False

    async def forward(body: Any) -> Any:
        async with aiohttp.ClientSession() as session, session.post(own_chain.url, json=body) as answer:
            return await answer.json()

    answers: list[Any] = []

    async def before() -> None:
        answers.append(await forward(scripted_node.requests[-1]))

    def answer(body: Any) -> Any:
        given = answers.pop()
        return web.Response(status=502) if down else given

    async def dead() -> None:
        answers.append(None)

    scripted_node.before, scripted_node.answer = before, answer
    async with HubClient(scripted_node.url, own_chain.hub, attempts=2) as hub:
        sender = TransactionSender(hub, wallet)
        await sender.execute(gift())
        await sender.gas_price()
        lost = await sender.prepare(gift())
        await sender.abandon(lost)
        down, scripted_node.before = True, dead
        with pytest.raises(NodeUnreachable):
            await sender.submit(gift())
        down, scripted_node.before = False, before
        assert (await sender.execute(gift(), timeout=20)).succeeded
        await sender.close()


async def test_a_lost_transaction_of_a_cancelled_caller_leaves_no_nonce_gap(
    hub: HubClient, sender: TransactionSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_way, goes_down, real = asyncio.Event(), asyncio.Event(), hub.rpc.call

    async def call(method: str, *params: Any, **options: Any) -> Any:
        if method != "eth_sendRawTransaction":
            return await real(method, *params, **options)
        on_the_way.set()
        await goes_down.wait()
        raise NodeUnreachable("gone")

    monkeypatch.setattr(hub.rpc, "call", call)
    submitting = asyncio.create_task(sender.submit(gift()))
    await on_the_way.wait()
    submitting.cancel()
    await asyncio.wait({submitting})
    goes_down.set()
    for _ in range(5):
        await asyncio.sleep(0)
    monkeypatch.setattr(hub.rpc, "call", real)
    assert (await sender.execute(gift(), timeout=5)).succeeded


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("insufficient funds for gas * price + value", OutOfGas),
        ("Insufficient balance for transaction", OutOfGas),
        ("nonce too low", NonceTooLow),
        ("Transaction nonce is too low. Try incrementing the nonce.", NonceTooLow),
        ("OldNonce", NonceTooLow),
        ("replacement transaction underpriced", ReplacementUnderpriced),
        ("transaction underpriced", Underpriced),
        ("max fee per gas less than block base fee", Underpriced),
        ("execution reverted", Reverted),
        ("intrinsic gas too low", TransactionRejected),
    ],
)
def test_error_messages_of_nodes_are_classified(message: str, cause: type[TransactionError]) -> None:
    assert type(classify(RpcError("eth_sendRawTransaction", -32000, message))) is cause


@pytest.mark.parametrize(
    "message", ["already known", "ALREADY_EXISTS: already known", "transaction already imported"]
)
def test_a_node_that_has_the_transaction_is_no_error(message: str) -> None:
    assert classify(RpcError("eth_sendRawTransaction", -32000, message)) is None


def test_revert_reasons() -> None:
    data = "0x08c379a0" + "20".rjust(64, "0") + "2".rjust(64, "0") + "4e6f".ljust(64, "0")
    assert revert_reason(data) == "No"
    assert revert_reason({"data": data}) == "No"
    for nothing in (None, "", "0x", "0x08c379a0", "zz", 5):
        assert revert_reason(nothing) == ""
