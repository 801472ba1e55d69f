"""A chain adapter process on a real chain and a real database."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.market.trading import Deal, Purchase
from workerpool_devnet.processes.mongod import Database
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.grpc.client import open_channel
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Transaction
from workerpool_poco.protocol.authorization import sign_authorization
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.contracts.calls import Call
from workerpool_poco.protocol.ids import TaskId, to_hex
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.orders import order_domain
from workerpool_poco.protocol.results import result_hash, result_seal
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2_grpc as pb_grpc

WALLET_PASSWORD = "keystore password"
API_PASSWORD = "api password"
DIGEST = bytes(range(32))


@dataclass
class AdapterProcess:
    """One adapter process; `api` calls it as core does."""

    process: asyncio.subprocess.Process
    port: int
    log: Path
    channel: grpc.aio.Channel = field(init=False)
    api: Any = field(init=False)

    def __post_init__(self) -> None:
        self.channel = open_channel(
            f"127.0.0.1:{self.port}", basic=("admin", API_PASSWORD), own_subchannel=True
        )
        self.api = pb_grpc.TransactionServiceStub(self.channel)

    async def ready(self) -> "AdapterProcess":
        """Wait until the adapter answers; fail when it ends instead."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if self.process.returncode is not None:
                    pytest.fail(f"the adapter ended with {self.process.returncode}: {self.log.read_text()}")
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await self.api.GetWallet(pb.GetWalletRequest(), timeout=PATIENCE_S)
                    return self
                await asyncio.sleep(0.05)

    async def initialize(self, pool: "Pool", deal: Deal) -> None:
        """Request the initialization of every task of a deal, and wait until the node has the transactions."""
        requests = [
            pb.InitializeRequest(deal_id=deal.deal_id, task_index=index) for index in range(deal.volume)
        ]
        await asyncio.gather(*(self.api.Initialize(request) for request in requests))
        sent = [
            (await self.seen(each, lambda command: command.transaction_hash)).transaction_hash
            for each in deal.task_ids
        ]
        rpc = pool.chain.chain.rpc
        await pool.until(lambda: all(rpc.call("eth_getTransactionByHash", each) for each in set(sent)))

    async def initialized(self, pool: "Pool", deal: Deal) -> list[Any]:
        """Wait until every task of a deal is ACTIVE; return their commands."""
        outcomes = await asyncio.gather(
            *(self.outcome(each, pb.COMMAND_KIND_INITIALIZE) for each in deal.task_ids)
        )
        assert {command.state for command in outcomes} == {pb.COMMAND_STATE_SUCCESS}
        for task_id in deal.task_ids:
            assert (await pool.task(task_id)).status is ChainTaskStatus.ACTIVE
        return outcomes

    async def seen(self, task_id: str, condition: Callable[[Any], Any]) -> Any:
        """Follow an initialization until a condition is true."""
        request = pb.WatchCommandRequest(task_id=task_id, kind=pb.COMMAND_KIND_INITIALIZE)
        async with asyncio.timeout(PATIENCE_S):
            async for change in self.api.WatchCommand(request):
                if condition(change.command):
                    return change.command
        pytest.fail("the command ended and the condition was never true")

    async def outcome(self, task_id: str, kind: Any) -> Any:
        """Follow a command to its end."""
        async with asyncio.timeout(PATIENCE_S):
            async for change in self.api.WatchCommand(pb.WatchCommandRequest(task_id=task_id, kind=kind)):
                command = change.command
        return command

    def pause(self, on: bool = True) -> None:
        """Stop the process, so that it later sees everything that happened meanwhile at once, or continue it."""
        self.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    async def kill(self) -> None:
        """Kill the process without a chance to clean up."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask the process to stop; return its exit code."""
        return await self._end(signal.SIGTERM)

    async def ended(self, timeout: float = 40) -> tuple[int, str]:
        """Wait until the process ends by itself; return its exit code and output."""
        async with asyncio.timeout(timeout):
            code = await self.process.wait()
        await self.channel.close(None)
        return code, self.log.read_text()

    async def _end(self, number: signal.Signals) -> int:
        await self.channel.close(None)
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.process.wait()


Launch = Callable[..., Awaitable[AdapterProcess]]


@pytest.fixture
def chain(fresh_poco_chain: PocoChain) -> PocoChain:
    """Return the chain of the test; a module may override it."""
    return fresh_poco_chain


@pytest.fixture(scope="module")
def chain_of_the_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocoChain]:
    """Run a chain for one module."""
    with Chain(log=tmp_path_factory.mktemp("chain") / "chain.log") as chain:
        yield PocoChain(chain, deployment.deploy(chain.rpc, accounts.deployer(chain.rpc)))


@pytest.fixture
def own_chain(chain_of_the_module: PocoChain) -> Iterator[PocoChain]:
    """Return a chain whose blocks a test mines."""
    snapshot = chain_of_the_module.snapshot()
    yield chain_of_the_module
    chain_of_the_module.chain.rpc.call("anvil_dropAllTransactions")
    chain_of_the_module.chain.mine_at_once()
    chain_of_the_module.revert(snapshot)


@pytest.fixture
def environment(chain: PocoChain, mongod: Database, database_name: str, tmp_path: Path) -> dict[str, str]:
    """Return the environment of an adapter that signs for the pool owner."""
    keystore = tmp_path / "wallet.json"
    chain.account("poolOwner").write_keystore(keystore, WALLET_PASSWORD, light=True)
    return {
        "IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD": API_PASSWORD,
        "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PATH": str(keystore),
        "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PASSWORD": WALLET_PASSWORD,
        "IEXEC_CHAIN_ID": str(chain.chain_id),
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": chain.url,
        "IEXEC_HUB_ADDRESS": chain.hub,
        "IEXEC_BLOCK_TIME": "PT1S",
        "IEXEC_IS_SIDECHAIN": "false",
        "MONGO_URI": mongod.uri,
        "MONGO_DATABASE": database_name,
    }


@pytest.fixture
async def launch(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[Launch]:
    """Return a function that starts an adapter with changed variables; None unsets one."""
    started: list[AdapterProcess] = []

    async def start(**changes: str | None) -> AdapterProcess:
        ports = free_service_ports()
        wanted = environment | {"IEXEC_BLOCKCHAIN_ADAPTER_API_PORT": str(ports.http)} | changes
        log = tmp_path / f"adapter-{len(started)}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "workerpool_chain_adapter"),
                env={**os.environ, **{name: value for name, value in wanted.items() if value is not None}},
                stdout=output,
                stderr=output,
            )
        started.append(AdapterProcess(process, ports.grpc, log))
        return started[-1]

    yield start
    for each in started:
        await each.kill()


@pytest.fixture
async def adapter(launch: Launch) -> AdapterProcess:
    """Return one adapter that is ready."""
    return await (await launch()).ready()


class Pool:
    """The rest of the pool: deals, and a worker that contributes and reveals."""

    def __init__(self, chain: PocoChain) -> None:
        self.chain = chain
        self.owner, requester = chain.account("poolOwner"), chain.account("requester")
        self.worker = chain.account("worker-1")
        self.domain = order_domain(chain.chain_id, chain.hub)
        self.app = chain.market.create_app(requester, "app", "docker.io/example/app:1")
        self.workerpool = chain.market.create_workerpool(self.owner, "pool")
        self._purchase: dict[str, Any] = {
            "requester": requester,
            "app": self.app,
            "app_owner": requester,
            "workerpool": self.workerpool,
            "pool_owner": self.owner,
            "workerpool_price": 1_000,
        }

    def buy(self, volume: int = 1, **changes: Any) -> Deal:
        """Match orders for a bag of `volume` tasks."""
        (deal,) = self.chain.market.buy(Purchase(**(self._purchase | {"volume": volume} | changes)))
        return deal

    def initialize(self, deal: Deal, index: int) -> None:
        """Initialize a task from a wallet other than the adapter's."""
        self.call(self.worker, calls.initialize(deal.deal_id, index))

    def contribute(self, deal: Deal, index: int = 0, digest: bytes = DIGEST) -> None:
        """Contribute from the worker's wallet, which is a consensus at trust 1."""
        task, worker = deal.task_ids[index], self.worker.address
        permission = sign_authorization(
            self.owner, worker=worker, task_id=task, deal_id=deal.deal_id, task_index=index
        )
        hash_, seal = result_hash(task, digest), result_seal(worker, task, digest)
        self.call(self.worker, calls.contribute(task, hash_, seal, permission.signature))

    def reveal(self, deal: Deal, index: int = 0, digest: bytes = DIGEST) -> None:
        """Reveal from the worker's wallet."""
        self.call(self.worker, calls.reveal(deal.task_ids[index], digest))

    def call(self, wallet: Any, call: Call) -> None:
        """Call the hub and wait until the transaction is mined."""
        outbox = Outbox(self.chain.chain.rpc)
        outbox.call(wallet, "call of the hub", self.chain.hub, call.data)
        outbox.flush()

    def overtake(self, call: Call) -> None:
        """Call the hub from the worker's wallet at a price that puts it first in the next block; do not wait."""
        rpc, worker = self.chain.chain.rpc, self.worker
        transaction = Transaction(
            nonce=int(rpc.call("eth_getTransactionCount", worker.address, "pending"), 16),
            gas_price=100 * 10**9,
            gas=2_000_000,
            to=self.chain.hub,
            value=0,
            data=call.data,
            chain_id=self.chain.chain_id,
        )
        rpc.call("eth_sendRawTransaction", to_hex(worker.sign_transaction(transaction).raw))

    def stop_mining(self) -> None:
        """Mine only by `mine` from now on."""
        self.chain.chain.stop_mining()

    def mine(self, blocks: int = 1) -> None:
        """Mine blocks, each with every transaction of the pool."""
        for _ in range(blocks):
            self.chain.chain.mine()

    def forget_transactions(self) -> None:
        """Empty the node's pool, as a restart of the node does."""
        self.chain.chain.rpc.call("anvil_dropAllTransactions")

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for a condition of the chain, by polling."""
        async with asyncio.timeout(PATIENCE_S):
            while not await asyncio.to_thread(condition):
                await asyncio.sleep(0.02)

    async def in_node(self, count: int) -> None:
        """Wait until the node's pool has `count` transactions of the pool owner."""
        rpc, owner = self.chain.chain.rpc, self.owner.address
        await self.until(
            lambda: (
                int(rpc.call("eth_getTransactionCount", owner, "pending"), 16) >= self.owner_nonce() + count
            )
        )

    async def task(self, task_id: TaskId) -> ChainTask:
        """Read a task."""
        async with HubClient(self.chain.url, self.chain.hub) as hub:
            return await hub.view_task(task_id)

    def owner_nonce(self) -> int:
        """Return the number of mined transactions of the pool owner."""
        answer = self.chain.chain.rpc.call("eth_getTransactionCount", self.owner.address, "latest")
        return int(answer, 16)


@pytest.fixture
def pool(chain: PocoChain) -> Pool:
    """Return an app, a pool and a worker on the chain."""
    return Pool(chain)
