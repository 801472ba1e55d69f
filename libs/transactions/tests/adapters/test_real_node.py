"""The pipeline on a real node with a mempool: what is sent, lost, held back or displaced there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.clock import SystemClock
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.chain.wallet import Transaction, Wallet
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import Address, TaskId, to_hex
from workerpool_poco.protocol.orders import AppOrder, RequestOrder, WorkerpoolOrder
from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.adapters.memory_journal import MemoryJournal
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.adapters.wallet_signer import WalletSigner
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import Call, EntryState
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile, Shape

STRANGER: Address = "0x" + "77" * 20
COINS = 10**20


@pytest.fixture(scope="module")
def poco(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocoChain]:
    """A chain whose mining these tests stop."""
    with Chain(log=tmp_path_factory.mktemp("node") / "chain.log") as chain:
        yield PocoChain(chain, deployment.deploy(chain.rpc, accounts.deployer(chain.rpc)))


class Bench:
    """A new wallet on the chain, with its journal."""

    def __init__(self, poco: PocoChain, rpc: JsonRpc) -> None:
        self.poco, self.chain = poco, poco.chain
        self.wallet = Wallet.create()
        self.node = RpcNode(rpc, self.wallet.address)
        self.journal = MemoryJournal()
        self.profile = ChainProfile(Shape.MEMPOOL)
        self.fund(COINS)

    def ask(self, method: str, *params: object) -> Any:
        return self.chain.rpc.call(method, *params)

    def fund(self, wei: int) -> None:
        self.ask("anvil_setBalance", self.wallet.address, hex(wei))

    def knows(self, transaction: str) -> bool:
        return self.ask("eth_getTransactionByHash", transaction) is not None

    def send_from_elsewhere(self, nonce: int, gas_price: int) -> str:
        """Send a transaction of the wallet that its journal does not hold."""
        signed = self.wallet.sign_transaction(
            Transaction(nonce, gas_price, 21_000, STRANGER, 1, b"", self.chain.chain_id)
        )
        return str(self.ask("eth_sendRawTransaction", to_hex(signed.raw)))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Pipeline]:
        async def ignore(_: object) -> None:
            pass

        pipeline = Pipeline(
            node=self.node,
            journal=self.journal,
            signer=WalletSigner(self.wallet, self.chain.chain_id),
            clock=SystemClock(),
            timer=AsyncioTimer(),
            policy=FeePolicy(),
            profile=self.profile,
            settle=ignore,
            restore=ignore,
            block_time_s=0.1,
        )
        await pipeline.resume()
        actor = asyncio.create_task(pipeline.run())
        try:
            yield pipeline
        finally:
            actor.cancel()
            with suppress(asyncio.CancelledError):
                await actor

    @asynccontextmanager
    async def no_mining(self) -> AsyncIterator[None]:
        """Keep transactions in the node's pool while the block runs."""
        self.chain.stop_mining()
        try:
            yield
        finally:
            self.chain.mine_at_once()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.02)


@pytest.fixture
async def bench(poco: PocoChain) -> AsyncIterator[Bench]:
    rpc = JsonRpc(poco.url)
    yield Bench(poco, rpc)
    await rpc.close()


def gift(number: int = 0) -> Call:
    return Call(STRANGER, b"", 21_000, (f"gift {number}",), value=1)


async def ended(pipeline: Pipeline, nonce: int) -> Any:
    return await asyncio.wait_for(pipeline.wait(nonce), PATIENCE_S)


async def test_many_in_flight_have_consecutive_nonces(bench: Bench) -> None:
    before = int(bench.ask("eth_getBalance", STRANGER, "latest"), 16)
    async with bench.running() as pipeline:
        async with bench.no_mining():
            entries = await pipeline.submit([gift(number) for number in range(50)])
            await bench.until(lambda: int(bench.ask("txpool_status")["pending"], 16) == 50)
        found = [await ended(pipeline, each.nonce) for each in entries]
    assert [each.nonce for each in found] == list(range(50))
    assert {each.state for each in found} == {EntryState.MINED}
    assert int(bench.ask("eth_getBalance", STRANGER, "latest"), 16) == before + 50


async def test_a_wallet_without_coins_parks_and_continues(bench: Bench) -> None:
    bench.fund(0)
    async with bench.running() as pipeline:
        (entry,) = await pipeline.submit([gift()])
        await bench.until(lambda: pipeline.status().parked_reason)
        bench.fund(COINS)
        assert (await ended(pipeline, entry.nonce)).state is EntryState.MINED
        assert pipeline.status().parked_reason == ""


async def test_a_revert_on_chain_ends_the_entry(bench: Bench) -> None:
    claim = calls.claim(TaskId("0x" + "01" * 32))
    async with bench.running() as pipeline:
        (entry,) = await pipeline.submit([Call(bench.poco.hub, claim.data, 200_000, ("claim",))])
        found = await ended(pipeline, entry.nonce)
    assert found.state is EntryState.REVERTED
    assert found.receipt is not None
    assert not found.receipt.succeeded


async def test_an_estimate_keeps_the_reason_of_the_contract(bench: Bench) -> None:
    match = calls.match_orders(
        AppOrder(app=STRANGER),
        WorkerpoolOrder(workerpool=STRANGER, category=1),
        RequestOrder(app=STRANGER, requester=STRANGER, category=2),
    )
    (estimate,) = await bench.node.estimate([Call(bench.poco.hub, match.data, 0)])
    assert (estimate.gas, estimate.problem) == (None, "iExecV5-matchOrders-0x00")


async def test_what_the_node_lost_is_sent_again_as_the_same_bytes(bench: Bench) -> None:
    async with bench.running() as pipeline:
        async with bench.no_mining():
            (entry,) = await pipeline.submit([gift()])
            await bench.until(lambda: bench.knows(entry.latest.hash))
            bench.ask("anvil_removePoolTransactions", bench.wallet.address)
            await bench.until(lambda: bench.knows(entry.latest.hash))
        found = await ended(pipeline, entry.nonce)
    assert found.versions == entry.versions


async def test_what_waits_too_long_is_replaced_at_a_higher_fee(bench: Bench) -> None:
    bench.profile = ChainProfile(Shape.MEMPOOL, replace_after_s=1.0)
    async with bench.running() as pipeline:
        async with bench.no_mining():
            entries = await pipeline.submit([gift(0), gift(1)])
            await bench.until(lambda: bench.knows(entries[1].latest.hash))
            await bench.until(lambda: len(bench.journal.entries[0].versions) > 1)
            await bench.until(lambda: bench.knows(bench.journal.entries[0].latest.hash))
        found = [await ended(pipeline, each.nonce) for each in entries]
    first, second = (each.offer for each in found[0].versions[:2])
    assert second.max_fee > first.max_fee
    assert [each.state for each in found] == [EntryState.MINED, EntryState.MINED]


async def test_a_nonce_that_another_program_used_is_displaced(bench: Bench) -> None:
    async with bench.running() as pipeline:
        async with bench.no_mining():
            (entry,) = await pipeline.submit([gift()])
            await bench.until(lambda: bench.knows(entry.latest.hash))
            bench.send_from_elsewhere(entry.nonce, 100 * entry.latest.offer.max_fee)
        assert (await ended(pipeline, entry.nonce)).state is EntryState.DISPLACED
        (after,) = await pipeline.submit([gift()])
        assert after.nonce == entry.nonce + 1
        assert (await ended(pipeline, after.nonce)).state is EntryState.MINED


async def test_a_nonce_that_nothing_uses_is_filled(bench: Bench) -> None:
    """Another program's transaction counted as pending, and the node then lost it."""
    async with bench.no_mining():
        lost = bench.send_from_elsewhere(0, 10**10)
        async with bench.running() as pipeline:
            (entry,) = await pipeline.submit([gift()])
            assert entry.nonce == 1
            await bench.until(lambda: bench.knows(entry.latest.hash))
            bench.ask("anvil_dropTransaction", lost)
            assert not bench.knows(lost)
            bench.chain.mine_at_once()
            assert (await ended(pipeline, entry.nonce)).state is EntryState.MINED
    assert bench.journal.entries[0].is_filler
