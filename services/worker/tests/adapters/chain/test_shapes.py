"""The worker's transactions on the real contracts, through nodes of each shape and with each fault."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sequencer.behaviour import SEQUENCER, Behaviour
from sequencer.proxy import Proxy
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.chain.transactions import send
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.health import Health
from workerpool_kit.process import Lifetime
from workerpool_kit.settings.environment import load
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization, sign_authorization
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId
from workerpool_poco.protocol.results import result_hash, result_seal
from workerpool_poco.protocol.statuses import ContributionStatus
from workerpool_transactions.domain.entry import Entry, EntryState
from workerpool_worker.adapters.chain.wallet_chain import WalletChain
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.adapters.sqlite_transactions import SqliteTransactions
from workerpool_worker.chain_access import ChainAccess, open_chain
from workerpool_worker.errors import ChainUnavailable, RevertForeseen, TransactionUnconfirmed, WalletOutOfGas
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.harness.context import unexpected

DIGEST = b"\x02" * 32
TASKS = 4
MEMPOOL = Behaviour(block_time_s=0.25)


@pytest.fixture(scope="module")
def poco(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocoChain]:
    """A chain of these tests alone: the proxies take over its mining."""
    with Chain(log=tmp_path_factory.mktemp("shapes") / "chain.log") as chain:
        yield PocoChain(chain, deployment.deploy(chain.rpc, accounts.deployer(chain.rpc)))


@dataclass
class World:
    """A pool on a chain behind a proxy, and the journal of one worker."""

    poco: PocoChain
    proxy: Proxy
    worker: Wallet
    workerpool: str
    journal_path: Path
    authorizations: list[WorkerpoolAuthorization]
    first_nonce: int = 0

    def __post_init__(self) -> None:
        # The deposit of the stake used the first ones.
        self.first_nonce = self.nonce()

    def nonce(self) -> int:
        """Return how many transactions of the worker are mined."""
        count = self.poco.chain.rpc.call("eth_getTransactionCount", self.worker.address, "latest")
        return int(count, 16)

    @asynccontextmanager
    async def access(self) -> AsyncIterator[tuple[ChainAccess, SqliteTransactions]]:
        """Open the chain as a starting worker does, and close it as a stopped one."""
        settings = load(WorkerSettings, {"POOL_ADDRESS": self.workerpool})
        config = ChainConfig(self.poco.chain_id, False, self.proxy.url, self.poco.hub, 0.25)
        async with AsyncExitStack() as stack:
            journal = SqliteJournal(self.journal_path, on_failure=unexpected)
            await journal.open()
            stack.push_async_callback(journal.close)
            transactions = SqliteTransactions(
                journal.file, chain_id=config.chain_id, wallet=self.worker.address
            )
            access = await open_chain(
                settings, config, self.worker, transactions, Health(), Lifetime(), stack
            )
            yield access, transactions

    async def serve(self, chain: WalletChain) -> None:
        """Contribute to every task and reveal it, as the replicates do."""
        await asyncio.gather(*(self._task(chain, each) for each in self.authorizations))

    async def _task(self, chain: WalletChain, authorization: WorkerpoolAuthorization) -> None:
        task_id = authorization.task_id
        seal = result_seal(self.worker.address, task_id, DIGEST)
        contribute = partial(chain.contribute, authorization, result_hash(task_id, DIGEST), seal)
        await patiently(contribute)
        await patiently(partial(chain.reveal, task_id, DIGEST))

    async def judge(self) -> list[Entry]:
        """Check the chain and the journal; return the journal's entries."""
        async with HubClient(self.poco.url, self.poco.hub) as hub:
            for each in self.authorizations:
                found = await hub.view_contribution(each.task_id, self.worker.address)
                assert found.status is ContributionStatus.PROVED
        async with self.access() as (_, journal):
            assert await journal.live() == []
            entries = await journal.ended(0, None)
        effective = [each for each in entries if each.state is EntryState.MINED]
        labels = [label for each in effective for label in each.call.labels]
        assert len(labels) == len(set(labels)) == 2 * TASKS, "each transaction took effect once"
        nonces = [each.nonce for each in entries]
        assert nonces == list(range(self.first_nonce, self.nonce())), "every nonce is in the journal"
        return entries


async def patiently(work: Any) -> None:
    """Repeat a call while it is neither done nor refused, as a replicate's step does."""
    foresee = True
    while True:
        try:
            await work(foresee=foresee)
        except RevertForeseen:
            foresee = False
        except (ChainUnavailable, TransactionUnconfirmed, WalletOutOfGas):
            await asyncio.sleep(0.2)
        else:
            return


@asynccontextmanager
async def world(poco: PocoChain, behaviour: Behaviour, folder: Path) -> AsyncIterator[World]:
    """Initialize the tasks of a new deal on a chain of some behaviour."""
    async with Proxy(poco.url, MEMPOOL, port=free_port()) as proxy:
        made = await asyncio.to_thread(_world, poco, proxy, folder)
        if behaviour.base_fee_wei:
            # The newest header of such a chain shows today's base fee, also while it is silent.
            poco.chain.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(behaviour.base_fee_wei))
            poco.chain.rpc.call("anvil_mine", "0x1")
        proxy.behaviour = behaviour
        yield made


def _world(poco: PocoChain, proxy: Proxy, folder: Path) -> World:
    name = f"shapes {os.getpid()} {time.time()}"
    owner, worker = poco.account("poolOwner"), poco.account(f"worker {name}")
    workerpool = poco.market.create_workerpool(owner, name)
    app = poco.market.create_app(owner, name, "docker.io/library/alpine:3.20")
    purchase = Purchase(
        requester=poco.account("requester"),
        app=app,
        app_owner=owner,
        workerpool=workerpool,
        pool_owner=owner,
        volume=TASKS,
    )
    (deal,) = poco.market.buy(purchase)
    tasks = [(deal.deal_id, index) for index in range(TASKS)]
    send(poco.chain.rpc, owner, poco.hub, calls.initialize_array(tasks).data)
    authorizations = [
        sign_authorization(
            owner,
            worker=worker.address,
            task_id=TaskId(task_id),
            deal_id=deal.deal_id,
            task_index=index,
            enclave_challenge=ZERO_ADDRESS,
        )
        for index, task_id in enumerate(deal.task_ids)
    ]
    return World(poco, proxy, worker, workerpool, folder / "journal.db", authorizations)


BEHAVIOURS = {
    "mempool": MEMPOOL,
    "mempool, lagging back-end": MEMPOOL.changed(
        {"lag_blocks": 4, "lag_probability": 0.4, "stale_revert_probability": 0.3}
    ),
    "mempool, drops": MEMPOOL.changed({"drop_probability": 0.2}),
    "sequencer": SEQUENCER,
    "sequencer, spikes and deadlines": SEQUENCER.changed(
        {"spike_probability": 0.4, "deadline_probability": 0.1, "drop_probability": 0.1}
    ),
    "sequencer, late answers": SEQUENCER.changed({"late_probability": 0.3, "late_s": 3.0}),
    "bad gateway, cut, truncated": SEQUENCER.changed(
        {"bad_gateway_probability": 0.1, "cut_probability": 0.05, "truncated_probability": 0.1}
    ),
    "throttled": SEQUENCER.changed({"calls_per_second": 25.0, "retry_after_s": 1.0}),
    "null and pending receipts": MEMPOOL.changed(
        {"null_receipt_probability": 0.2, "pending_receipt_probability": 0.2}
    ),
}


QUICK = ("mempool, lagging back-end", "sequencer")
"""`make test-full` runs the others."""


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(behaviour, id=name, marks=[] if name in QUICK else pytest.mark.full)
        for name, behaviour in BEHAVIOURS.items()
    ],
)
async def test_every_task_is_contributed_and_revealed_once(
    poco: PocoChain, tmp_path: Path, behaviour: Behaviour
) -> None:
    """Scenario 23: I/O errors, receipts that are null or without a block, and nodes that lag."""
    async with world(poco, behaviour, tmp_path) as pool:
        async with asyncio.timeout(120), pool.access() as (access, _):
            await pool.serve(access.chain)
        pool.proxy.behaviour = MEMPOOL
        entries = await pool.judge()
        assert {each.state for each in entries} == {EntryState.MINED}, "no nonce was burnt"


@pytest.mark.parametrize("behaviour", [MEMPOOL, SEQUENCER], ids=["mempool", "sequencer"])
async def test_restarts_lose_and_repeat_nothing(
    poco: PocoChain, tmp_path: Path, behaviour: Behaviour
) -> None:
    async with world(poco, behaviour.changed({"late_probability": 0.2}), tmp_path) as pool:
        for life_s in (0.3, 0.5, 0.7, 0.9, 120.0):
            async with pool.access() as (access, _):
                serving = asyncio.create_task(pool.serve(access.chain))
                await asyncio.wait({serving}, timeout=life_s)
                done = serving.done()
                serving.cancel()
                await asyncio.wait({serving})
        assert done, "served within the last life"
        serving.result()
        entries = await pool.judge()
        assert len(entries) == 2 * TASKS
