"""The real processes of the adapter's bench: chain, database, chain adapter; and tasks that can be finalized."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.market.trading import Deal, Market, Purchase
from workerpool_devnet.processes.mongod import Database
from workerpool_devnet.processes.ports import free_service_ports
from workerpool_kit.grpc.client import open_channel
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sign_authorization
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.results import result_hash, result_seal
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2_grpc as pb_grpc

DIGEST = bytes(range(32))
CATEGORY = 3
"""Category L: no deadline passes during the bench."""
_PASSWORD = "bench password"
_START_S = 60.0
_PER_FLUSH = 200


@dataclass(frozen=True)
class AdapterPool:
    """A chain with a pool and one worker, and the adapter of the pool's owner."""

    chain: Chain
    contracts: deployment.Contracts
    owner: Wallet
    worker: Wallet
    api: Any
    purchase: dict[str, Any]
    pids: dict[str, int]
    """Process ids of adapter and chain."""

    def buy(self, volume: int) -> Deal:
        """Match orders for a bag."""
        (deal,) = Market(self.chain.rpc, self.contracts).buy(Purchase(**self.purchase, volume=volume))
        return deal

    def owner_nonce(self) -> int:
        """Return the number of mined transactions of the pool's owner."""
        return int(self.chain.rpc.call("eth_getTransactionCount", self.owner.address, "latest"), 16)

    def initialize(self, deal: Deal) -> None:
        """Initialize a bag from the worker's wallet."""
        outbox = Outbox(self.chain.rpc)
        for first in range(0, deal.volume, 50):
            tasks = [(deal.deal_id, index) for index in range(first, min(first + 50, deal.volume))]
            data = calls.initialize_array(tasks).data
            outbox.call(self.worker, "initializeArray", self.contracts.hub, data, gas=16_000_000)
        outbox.flush()

    def reveal(self, deal: Deal) -> None:
        """Contribute to each task of a bag and reveal, from the worker's wallet: each can then be finalized."""
        indexes = range(deal.volume)
        for first in range(0, deal.volume, _PER_FLUSH):
            outbox = Outbox(self.chain.rpc)
            for index in indexes[first : first + _PER_FLUSH]:
                for data in self._work(deal, index):
                    outbox.call(self.worker, "work on a task", self.contracts.hub, data)
            outbox.flush()

    def _work(self, deal: Deal, index: int) -> Sequence[bytes]:
        task, worker = TaskId(deal.task_ids[index]), self.worker.address
        permission = sign_authorization(
            self.owner, worker=worker, task_id=task, deal_id=deal.deal_id, task_index=index
        )
        hash_, seal = result_hash(task, DIGEST), result_seal(worker, task, DIGEST)
        return (
            calls.contribute(task, hash_, seal, permission.signature).data,
            calls.reveal(task, DIGEST).data,
        )


@contextlib.asynccontextmanager
async def adapter_pool(max_in_flight: int) -> AsyncIterator[AdapterPool]:
    """Run chain, database and adapter; the chain mines each transaction at once at first."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as cleanup:
        folder = Path(name)
        chain = cleanup.enter_context(Chain(log=folder / "chain.log", long=True))
        database = cleanup.enter_context(Database(log=folder / "mongod.log", folder=folder))
        contracts = deployment.deploy(chain.rpc, accounts.deployer(chain.rpc))
        owner, worker, requester = (accounts.derive(role) for role in ("poolOwner", "worker-1", "requester"))
        accounts.fund(chain.rpc, contracts, [owner, worker, requester])
        market = Market(chain.rpc, contracts)
        purchase = {
            "requester": requester,
            "app": market.create_app(requester, "bench", "example/no-op:1"),
            "app_owner": requester,
            "workerpool": market.create_workerpool(owner, "bench"),
            "pool_owner": owner,
            "workerpool_price": 0,
            "category": CATEGORY,
        }
        owner.write_keystore(folder / "wallet.json", _PASSWORD, light=True)
        ports = free_service_ports()
        environment = {
            "IEXEC_BLOCKCHAIN_ADAPTER_API_PORT": str(ports.http),
            "IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD": _PASSWORD,
            "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PATH": str(folder / "wallet.json"),
            "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PASSWORD": _PASSWORD,
            "IEXEC_BLOCKCHAIN_ADAPTER_API_MAX_ALLOWED_TX_PER_BLOCK": str(max_in_flight),
            "IEXEC_CHAIN_ID": str(chain.chain_id),
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS": chain.url,
            "IEXEC_HUB_ADDRESS": contracts.hub,
            "IEXEC_BLOCK_TIME": "PT1S",
            "IEXEC_IS_SIDECHAIN": "false",
            "IEXEC_GAS_PRICE_CAP": str(10**12),
            "MONGO_URI": database.uri,
            "MONGO_DATABASE": "bench",
        }
        log = cleanup.enter_context((folder / "adapter.log").open("wb"))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workerpool_chain_adapter"),
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        channel = open_channel(f"127.0.0.1:{ports.grpc}", basic=("admin", _PASSWORD))
        try:
            api: Any = pb_grpc.TransactionServiceStub(channel)
            await _ready(api, process)
            pids = {"adapter": process.pid, "chain": chain.process.pid}
            yield AdapterPool(chain, contracts, owner, worker, api, purchase, pids)
        finally:
            await channel.close(None)
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _ready(api: Any, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_START_S):
        while True:
            if process.returncode is not None:
                raise SystemExit(f"bench: the adapter ended with {process.returncode}")
            with contextlib.suppress(grpc.aio.AioRpcError):
                await api.GetWallet(pb.GetWalletRequest(), timeout=2)
                return
            await asyncio.sleep(0.1)
