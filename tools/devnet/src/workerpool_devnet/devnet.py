"""A whole pool on this machine: chain, contracts, database, services and workers as real processes."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import Address

from workerpool_devnet import packages
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.document import describe, write_atomically
from workerpool_devnet.errors import OptionsError
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.market.deployment import Contracts
from workerpool_devnet.market.trading import Deal, Market, Purchase
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.janitor import Janitor, remove_docker_leftovers, remove_run_folder
from workerpool_devnet.processes.mongod import Database
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.services.plan import ServicePlan, Surroundings
from workerpool_devnet.services.service import Service, wait_registered

_ROLES = ("requester", "poolOwner", "spare")
_STOP_SECONDS = 4.0
_WATCH_SECONDS = 0.1


class Devnet:
    """Runs a pool for as long as its context lasts; afterwards nothing of it is left on the machine.

    Enter and leave it from the main thread: its processes end with the thread that started them.
    """

    def __init__(self, options: DevnetOptions | None = None) -> None:
        self.options = options or DevnetOptions()
        self._seed = secrets.token_hex(16)  # own keys per devnet, so that several can share a Docker engine
        self._keep_logs = self.options.folder is not None
        temporary = Path(tempfile.gettempdir()) / f"workerpool-devnet-{secrets.token_hex(4)}"
        self.folder = (self.options.folder or temporary).absolute()
        self.logs = self.folder / "logs"
        self.accounts = {role: accounts.derive(role, self._seed) for role in _ROLES}
        """Wallets of the roles requester, poolOwner and spare, with gas, RLC and a deposit."""
        self.worker_wallets = [
            accounts.derive(f"worker-{number}", self._seed) for number in range(1, self.options.workers + 1)
        ]
        self.chain = Chain(log=self.logs / "chain.log")
        self.database = Database(log=self.logs / "mongod.log", folder=self.folder / "mongod")
        self.services: dict[str, Service] = {}
        """Services by name: registry, chain_adapter, result_proxy, core, worker-1 …"""
        self.contracts: Contracts
        self.market: Market
        self.workerpool: Address
        self.databases: dict[str, str] = {}
        """Service name → name of its database."""
        self._document_path: Path | None = None
        self._janitor: Janitor | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start everything; returns when all services are healthy and all workers have registered.

        Raises a `DevnetError` naming what failed, with everything taken down again.
        """
        self._take_folder()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything and remove what is left."""
        await self.stop()

    def account(self, role: str) -> Wallet:
        """Return the wallet of a role, such as "requester" or "worker-2"."""
        return accounts.derive(role, self._seed)

    async def create_app(self, name: str, image: str, *, checksum: bytes = bytes(32)) -> Address:
        """Create an app of the requester on the registry; `image` is what Docker is asked for."""
        requester = self.accounts["requester"]
        return await asyncio.to_thread(self.market.create_app, requester, name, image, checksum=checksum)

    async def buy(
        self,
        app: Address,
        *,
        params: DealParams | None = None,
        volume: int = 1,
        trust: int = 1,
        category: int = 0,
        app_price: int = 0,
        workerpool_price: int = 0,
        requester: Wallet | None = None,
    ) -> Deal:
        """Buy `volume` tasks of an app of the requester's on this pool; prices in nRLC per task."""
        purchase = Purchase(
            requester=requester or self.accounts["requester"],
            app=app,
            app_owner=self.accounts["requester"],
            workerpool=self.workerpool,
            pool_owner=self.accounts["poolOwner"],
            params=params or DealParams(),
            volume=volume,
            trust=trust,
            category=category,
            app_price=app_price,
            workerpool_price=workerpool_price,
        )
        (deal,) = await asyncio.to_thread(self.market.buy, purchase)
        return deal

    def document(self) -> dict[str, Any]:
        """Return what `devnet.json` holds: all that a client of this devnet needs (see the README here)."""
        return describe(self, {role: accounts.private_key(role, self._seed) for role in self.accounts})

    def write_document(self, path: Path) -> None:
        """Write `devnet.json` atomically; it is kept up to date and removed when the devnet stops."""
        self._document_path = path.absolute()
        if self._janitor is not None:
            self._janitor.remove_also(self._document_path)
        self._rewrite_document()

    async def wait(self) -> None:
        """Wait for ever; raises `ProcessError` when the chain or the database ends."""
        assert self._watcher is not None
        await asyncio.shield(self._watcher)

    async def stop(self) -> None:
        """Stop workers, services, database, chain in this order, within about 10 seconds; then clean up."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
            if not self._watcher.cancelled():
                self._watcher.exception()  # seen by `wait` already, if anybody asked
            self._watcher = None
        if self._document_path is not None:
            self._document_path.unlink(missing_ok=True)
        running = [service for service in self.services.values() if service.process.running]
        for service in self.services.values():
            service.wanted = False
        await _stop([service.process for service in running if service.name.startswith("worker-")])
        await asyncio.gather(
            _stop([service.process for service in running if not service.name.startswith("worker-")]),
            asyncio.to_thread(remove_docker_leftovers, self._worker_addresses()),
        )
        await asyncio.to_thread(self.database.stop)
        await asyncio.to_thread(self.chain.stop)
        await asyncio.to_thread(remove_run_folder, self.folder, keep_logs=self._keep_logs)
        if self._janitor is not None:
            self._janitor.dismiss()
            self._janitor = None

    def _take_folder(self) -> None:
        """Create the run folder; refuse one with somebody's files in it, which would be removed in the end."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            others = sorted(path.name for path in self.folder.iterdir() if path.name != "logs")
        except OSError as error:
            raise OptionsError(f"the run folder cannot be made: {error}; name another one") from error
        if others:
            raise OptionsError(
                f"the run folder {self.folder} holds {others[0]}, and all but its logs is removed in the end: "
                "name a new folder, or one that holds nothing but the logs of an earlier devnet"
            )

    async def _start(self) -> None:
        await asyncio.to_thread(packages.ensure_packages, self.options.progress)
        with self._timed("database and chain started, contracts deployed, accounts funded"):
            await self._start_foundation()
        plan = ServicePlan(self.folder, self.options, self.accounts["poolOwner"], self.worker_wallets)
        for spec in plan.specs(self._surroundings()):
            folder = self.folder / spec.name
            folder.mkdir()
            process = ManagedProcess(
                spec.name,
                spec.command,
                log=self.logs / f"{spec.name}.log",
                env=spec.environment,
                folder=folder,
            )
            self.services[spec.name] = Service(spec, process)
            if self.options.services is None or spec.name in self.options.services:
                self.services[spec.name].start()
        started = [service for service in self.services.values() if service.wanted]
        if started:
            with self._timed(f"{len(started)} services healthy"):
                await self._wait_healthy(started)
        workers = [service for service in started if service.name.startswith("worker-")]
        if self.services["core"].wanted:
            with self._timed(f"{len(workers)} workers registered"):
                await self._wait_registered(workers)
        self._watcher = asyncio.create_task(self._watch(), name="devnet watcher")

    async def _start_foundation(self) -> None:
        # Spawned here, on the main thread, and awaited in others.
        self._janitor = Janitor(self.folder, self._worker_addresses(), keep_logs=self._keep_logs)
        self.chain.launch()
        self.database.launch()
        await asyncio.gather(asyncio.to_thread(self._deploy), asyncio.to_thread(self.database.wait_ready))
        for service in ("chain_adapter", "result_proxy", "core"):
            name = f"workerpool_{service}"
            self.databases[service] = self.database.new_name(name) if self.database.external else name

    def _deploy(self) -> None:
        self.chain.wait_ready()
        rpc = self.chain.rpc
        self.contracts = deployment.deploy(rpc, accounts.deployer(rpc))
        accounts.fund(rpc, self.contracts, [*self.accounts.values(), *self.worker_wallets])
        self.market = Market(rpc, self.contracts)
        self.workerpool = self.market.create_workerpool(self.accounts["poolOwner"], "devnet")
        if self.options.block_time:
            self.chain.mine_every(self.options.block_time)

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            rpc=self.chain.url,
            chain_id=self.chain.chain_id,
            hub=self.contracts.hub,
            workerpool=self.workerpool,
            block_time=self.options.block_time,
            mongo_uri=self.database.uri,
            databases=self.databases,
        )

    async def _wait_registered(self, workers: list[Service]) -> None:
        wallets = {self.account(worker.name).address for worker in workers}
        await wait_registered(self.services["core"], workers, wallets, timeout=self.options.start_timeout)

    async def _wait_healthy(self, services: list[Service]) -> None:
        timeout = self.options.start_timeout
        waiting = [asyncio.create_task(service.wait_healthy(timeout=timeout)) for service in services]
        try:
            await asyncio.gather(*waiting)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)

    async def _watch(self) -> None:
        """Notice ends: of the chain or the database for `wait`, of services to start them again."""
        while True:
            pids = self._pids()
            await asyncio.sleep(_WATCH_SECONDS)
            self.chain.process.check()
            if self.database.process is not None and self.database.wanted:
                self.database.process.check()
            if self.options.restart:
                self._revive()
            if self._pids() != pids:
                self._rewrite_document()

    def _revive(self) -> None:
        for service in self.services.values():
            if service.wanted and not service.process.running:
                code = service.process.exit_code
                self.options.progress(f"{service.name} ended with exit code {code}; starting it again")
                service.start()

    def _pids(self) -> list[int]:
        return [service.pid for service in self.services.values() if service.process.started]

    def _worker_addresses(self) -> list[Address]:
        return [wallet.address for wallet in self.worker_wallets]

    def _rewrite_document(self) -> None:
        if self._document_path is not None:
            write_atomically(self._document_path, self.document())

    @contextlib.contextmanager
    def _timed(self, done: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.options.progress(f"{done} ({time.monotonic() - started:.1f} s)")


async def _stop(processes: list[ManagedProcess]) -> None:
    """Stop several processes side by side. Each is asked once: a second SIGTERM means "at once"."""
    for process in processes:
        process.terminate()
    await asyncio.gather(*(asyncio.to_thread(process.finish, _STOP_SECONDS) for process in processes))
