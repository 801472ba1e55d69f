"""The adapter on a sequencer chain, on a chain with free gas, and on nodes that answer badly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from sequencer.behaviour import SEQUENCER, Behaviour
from sequencer.proxy import Proxy
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.market.trading import Deal
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

from services.chain_adapter.tests.conftest import Pool

INITIALIZE, FINALIZE = pb.COMMAND_KIND_INITIALIZE, pb.COMMAND_KIND_FINALIZE
SUCCESS = pb.COMMAND_STATE_SUCCESS
BAD_NODES: dict[str, Behaviour] = {
    "stale reverts": Behaviour(stale_revert_probability=0.5),
    "a back-end that lags": Behaviour(lag_blocks=4, lag_probability=0.4),
    "drops after acceptance": Behaviour(drop_probability=0.3),
    "null receipts and 502": Behaviour(null_receipt_probability=0.3, bad_gateway_probability=0.2),
    "pending receipts and cuts": Behaviour(pending_receipt_probability=0.3, cut_probability=0.1),
    "truncated JSON": Behaviour(truncated_probability=0.1),
}
BAD_SEQUENCERS: dict[str, Behaviour] = {
    "well": SEQUENCER,
    "late answers": SEQUENCER.changed({"late_probability": 0.3, "late_s": 2.0}),
    "exceeded deadlines": SEQUENCER.changed({"deadline_probability": 0.3, "late_s": 0.5}),
    "spikes of the base fee": SEQUENCER.changed({"spike_probability": 0.4}),
}


@pytest.fixture
def chain(own_chain: PocoChain) -> PocoChain:
    return own_chain


@asynccontextmanager
async def node(chain: PocoChain, behaviour: Behaviour) -> AsyncIterator[Proxy]:
    async with Proxy(chain.url, behaviour, port=free_port(), seed=1) as proxy:
        yield proxy


async def carry_out(adapter: Any, pool: Pool, deals: list[Deal]) -> list[Any]:
    """Initialize bags of tasks whose requests arrive one after another; return the commands."""
    for deal in deals:
        for index in range(deal.volume):
            request = pb.InitializeRequest(deal_id=deal.deal_id, task_index=index)
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        await adapter.api.Initialize(request)
                        break
                    except grpc.aio.AioRpcError as error:
                        # A node that does not answer is an outage; core repeats the request.
                        if error.code() is not grpc.StatusCode.UNAVAILABLE:
                            raise
                        await asyncio.sleep(0.1)
    tasks = [task for deal in deals for task in deal.task_ids]
    async with asyncio.timeout(60):
        outcomes = await asyncio.gather(*(adapter.outcome(each, INITIALIZE) for each in tasks))
    for task in tasks:
        assert (await pool.task(task)).status is ChainTaskStatus.ACTIVE
    return outcomes


@pytest.mark.parametrize("behaviour", BAD_NODES.values(), ids=BAD_NODES)
async def test_commands_succeed_on_a_bad_node(
    launch: Callable[..., Awaitable[Any]], chain: PocoChain, pool: Pool, behaviour: Behaviour
) -> None:
    deals = [pool.buy(volume=3) for _ in range(6)]
    async with node(chain, Behaviour()) as proxy:
        adapter = await (await launch(IEXEC_BLOCKCHAIN_NODE_ADDRESS=proxy.url)).ready()
        proxy.behaviour = behaviour
        outcomes = await carry_out(adapter, pool, deals)
        assert {each.state for each in outcomes} == {SUCCESS}
        assert adapter.process.returncode is None
        assert await adapter.stop() == 0


class TestSequencer:
    @pytest.fixture
    def chain(self, tmp_path: Path) -> Iterator[PocoChain]:
        """Return a chain of the test's own: the proxy leaves it with another base fee."""
        with Chain(log=tmp_path / "chain.log") as chain:
            yield PocoChain(chain, deployment.deploy(chain.rpc, accounts.deployer(chain.rpc)))

    @pytest.mark.parametrize("behaviour", BAD_SEQUENCERS.values(), ids=BAD_SEQUENCERS)
    async def test_commands_succeed_without_a_burnt_nonce(
        self, launch: Callable[..., Awaitable[Any]], chain: PocoChain, pool: Pool, behaviour: Behaviour
    ) -> None:
        deals = [pool.buy(volume=3) for _ in range(6)]
        before = pool.owner_nonce()
        # The newest header of such a chain shows today's base fee, also while it is silent.
        chain.chain.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(behaviour.base_fee_wei))
        chain.chain.rpc.call("anvil_mine", "0x1")
        async with node(chain, behaviour) as proxy:
            adapter = await (
                await launch(IEXEC_BLOCKCHAIN_NODE_ADDRESS=proxy.url, WORKERPOOL_CHAIN_SHAPE="sequencer")
            ).ready()
            outcomes = await carry_out(adapter, pool, deals)
            wallet = await adapter.api.GetWallet(pb.GetWalletRequest())
            assert {each.state for each in outcomes} == {SUCCESS}
            assert wallet.chain_shape == "sequencer"
            assert wallet.fillers == 0
            sent = {each.transaction_hash for each in outcomes}
            assert pool.owner_nonce() - before == len(sent), "no transaction is repeated"
            assert await adapter.stop() == 0


@pytest.fixture(scope="module")
def free_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocoChain]:
    with Chain(log=tmp_path_factory.mktemp("chain") / "chain.log", free_gas=True) as chain:
        yield PocoChain(chain, deployment.deploy(chain.rpc, accounts.deployer(chain.rpc)))


class TestFreeGas:
    @pytest.fixture
    def chain(self, free_chain: PocoChain) -> PocoChain:
        return free_chain

    async def test_a_wallet_without_coins_sends_at_price_zero(
        self, launch: Callable[..., Awaitable[Any]], chain: PocoChain, pool: Pool
    ) -> None:
        deals = [pool.buy(volume=3) for _ in range(2)]
        chain.chain.rpc.call("anvil_setBalance", pool.owner.address, "0x0")
        adapter = await (
            await launch(IEXEC_IS_SIDECHAIN="true", IEXEC_GAS_PRICE_MULTIPLIER="0", IEXEC_GAS_PRICE_CAP="0")
        ).ready()
        outcomes = await carry_out(adapter, pool, deals)
        found = chain.chain.rpc.call("eth_getTransactionByHash", outcomes[0].transaction_hash)
        assert int(found["gasPrice"], 16) == 0
        wallet = await adapter.api.GetWallet(pb.GetWalletRequest())
        assert (wallet.chain_shape, wallet.gas_price_wei) == ("free", "0")
        assert not wallet.HasField("transactions_left")
        assert wallet.parked_reason == ""
