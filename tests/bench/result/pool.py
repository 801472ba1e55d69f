"""The real processes of the bench of results: chain, database, IPFS node, result proxies; and revealed tasks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.market.trading import Market, Purchase
from workerpool_devnet.packages import repository_root
from workerpool_devnet.processes.kubo import Kubo
from workerpool_devnet.processes.mongod import Database
from workerpool_devnet.processes.ports import ServicePorts, free_service_ports
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization, sign_authorization
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.result_archive.rules import ArchiveRules
from workerpool_poco.protocol.results import COMPUTED_FILE, IEXEC_OUT, result_hash, result_seal
from workerpool_poco.result_archive import build_result

from bench.proc import cpu_seconds

CATEGORY = 3
"""Category L: no deadline passes during the bench."""
MAX_BYTES = 4 << 30
"""Largest archive, and largest content of one."""
_START_S = 60.0
_PIECE = 1 << 20


@dataclass(frozen=True)
class Archive:
    """A result archive of random bytes, and its digest."""

    path: Path
    digest: bytes

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.path.stat().st_size


def make_archive(path: Path, size: int) -> Archive:
    """Write an archive whose result has `size` random bytes, by the worker's own code."""
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        folder, written = Path(name), 0
        (folder / COMPUTED_FILE).write_text(json.dumps({"deterministic-output-path": f"{IEXEC_OUT}/r.bin"}))
        with (folder / "r.bin").open("wb") as output:
            while written < size:
                written += output.write(os.urandom(min(_PIECE, size - written)))
        rules = ArchiveRules(max_archive_bytes=MAX_BYTES, max_unpacked_bytes=MAX_BYTES)
        built = build_result(folder, path, callback=False, added={}, rules=rules, check=lambda: None)
    # No later transfer shares the disk with these bytes.
    os.sync()
    return Archive(path, built.digest)


@dataclass(frozen=True)
class Proxy:
    """One result proxy process."""

    process: asyncio.subprocess.Process
    ports: ServicePorts

    @property
    def url(self) -> str:
        """Its HTTP address."""
        return f"http://localhost:{self.ports.http}"

    def cpu_seconds(self) -> float:
        """Return the processor time that the process has used."""
        return cpu_seconds(self.process.pid)

    def peak_bytes(self) -> int:
        """Return the most resident memory that the process has had (VmHWM)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) << 10


@dataclass(frozen=True)
class ResultPool:
    """A chain with a pool and one worker, the stores, and a proxy before each store."""

    chain: Chain
    contracts: deployment.Contracts
    owner: Wallet
    worker: Wallet
    purchase: dict[str, Any]
    database: Database
    kubo: Kubo | None
    proxies: dict[str, Proxy]
    """By the name of the store."""
    folder: Path

    def store_cpu_seconds(self, store: str) -> float:
        """Return the processor time that the server of a store has used."""
        process = self.kubo.process if store == "ipfs" and self.kubo else self.database.process
        if process is None:
            raise SystemExit("bench: unset MONGO_URI: the bench starts a database of its own")
        return cpu_seconds(process.pid)

    def reveal(self, digest: bytes) -> WorkerpoolAuthorization:
        """Buy a task, contribute and reveal a digest; return the authorization of the worker."""
        (deal,) = Market(self.chain.rpc, self.contracts).buy(Purchase(**self.purchase))
        task, worker = TaskId(deal.task_ids[0]), self.worker.address
        authorization = sign_authorization(
            self.owner, worker=worker, task_id=task, deal_id=deal.deal_id, task_index=0
        )
        hash_, seal = result_hash(task, digest), result_seal(worker, task, digest)
        for step in (
            calls.initialize(deal.deal_id, 0),
            calls.contribute(task, hash_, seal, authorization.signature),
            calls.reveal(task, digest),
        ):
            outbox = Outbox(self.chain.rpc)
            outbox.call(self.worker, "step of a task", self.contracts.hub, step.data, gas=2_000_000)
            outbox.flush()
        return authorization


@contextlib.asynccontextmanager
async def result_pool(*, with_ipfs: bool) -> AsyncIterator[ResultPool]:
    """Run chain, database, IPFS node and a proxy before each store."""
    name = tempfile.mkdtemp(prefix="bench-result-")
    async with contextlib.AsyncExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, name, ignore_errors=True)
        folder = Path(name)
        chain = cleanup.enter_context(Chain(log=folder / "chain.log"))
        database = cleanup.enter_context(Database(log=folder / "mongod.log", folder=folder))
        kubo = None
        if with_ipfs:
            binary = repository_root() / ".cache" / "bin" / "ipfs"
            kubo = cleanup.enter_context(Kubo(binary, folder=folder, log=folder / "ipfs.log"))
        contracts = deployment.deploy(chain.rpc, accounts.deployer(chain.rpc))
        owner, worker, requester = (accounts.derive(role) for role in ("poolOwner", "worker-1", "requester"))
        accounts.fund(chain.rpc, contracts, [owner, worker, requester])
        market = Market(chain.rpc, contracts)
        purchase = {
            "requester": requester,
            "app": market.create_app(requester, "bench", "example/results:1"),
            "app_owner": requester,
            "workerpool": market.create_workerpool(owner, "bench"),
            "pool_owner": owner,
            "workerpool_price": 0,
            "category": CATEGORY,
        }
        common = {
            "IEXEC_CHAIN_ID": str(chain.chain_id),
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS": chain.url,
            "IEXEC_HUB_ADDRESS": contracts.hub,
            "IEXEC_BLOCK_TIME": "PT1S",
            "IEXEC_RESULT_PROXY_MAX_SIZE": str(MAX_BYTES),
            "IEXEC_RESULT_PROXY_MAX_UNPACKED_SIZE": str(MAX_BYTES),
            "MONGO_URI": database.uri,
        }
        stores = {"gridfs": {}, **({"ipfs": {"IEXEC_IPFS_URL": kubo.url}} if kubo else {})}
        proxies = {
            store: await cleanup.enter_async_context(_proxy(store, folder, {**common, **own}))
            for store, own in stores.items()
        }
        yield ResultPool(chain, contracts, owner, worker, purchase, database, kubo, proxies, folder)


@contextlib.asynccontextmanager
async def _proxy(store: str, folder: Path, environment: dict[str, str]) -> AsyncIterator[Proxy]:
    ports = free_service_ports()
    own = {
        "IEXEC_RESULT_PROXY_PORT": str(ports.http),
        "IEXEC_RESULT_PROXY_TEMP_DIR": str(folder / f"temp-{store}"),
        "MONGO_DATABASE": f"proxy_{store}",
    }
    with (folder / f"proxy-{store}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workerpool_result_proxy"),
            env={**os.environ, **environment, **own},
            stdout=log,
            stderr=log,
        )
    try:
        await _healthy(process, ports)
        yield Proxy(process, ports)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _healthy(process: asyncio.subprocess.Process, ports: ServicePorts) -> None:
    async with asyncio.timeout(_START_S), aiohttp.ClientSession() as http:
        while True:
            if process.returncode is not None:
                raise SystemExit(f"bench: the result proxy ended with {process.returncode}")
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"http://localhost:{ports.http}/actuator/health") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
