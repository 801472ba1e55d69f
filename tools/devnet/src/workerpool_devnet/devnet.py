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
from workerpool_devnet.document import RunningPool, describe, write_atomically
from workerpool_devnet.errors import ProcessError
from workerpool_devnet.market import accounts, deployment
from workerpool_devnet.market.deployment import Contracts, Flavour
from workerpool_devnet.market.trading import Deal, Market, Purchase
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.janitor import Janitor
from workerpool_devnet.processes.mongod import Database
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_devnet.processes.run_folder import claim_run_folder, remove_run_folder
from workerpool_devnet.processes.worker_containers import remove_worker_containers
from workerpool_devnet.sdk import ens
from workerpool_devnet.sdk.chain_files import SdkView
from workerpool_devnet.sdk.files import SdkFiles
from workerpool_devnet.services.plan import OFFERED_CATEGORIES, SDK_SERVICES, ServicePlan, Surroundings
from workerpool_devnet.services.readiness import wait_healthy, wait_offered, wait_registered
from workerpool_devnet.services.service import Service

_ROLES = ("requester", "poolOwner", "spare")
_STOP_SECONDS = 4.0
_WATCH_SECONDS = 0.1
_OFFER_SECONDS = 60.0


class Devnet:
    """Runs a whole pool inside a context; leaving the context removes all of it from the machine.

    Enter and leave the context in the main thread: its processes end with the thread that started them.
    """

    def __init__(self, options: DevnetOptions | None = None) -> None:
        self.options = options or DevnetOptions()
        self._seed = secrets.token_hex(16)  # new keys per devnet, so that devnets can share a Docker engine
        self._keep_logs = self.options.folder is not None
        temporary = Path(tempfile.gettempdir()) / f"workerpool-devnet-{secrets.token_hex(4)}"
        self.folder = (self.options.folder or temporary).absolute()
        self.logs = self.folder / "logs"
        self.accounts = {role: accounts.derive(role, self._seed) for role in _ROLES}
        """Wallets of the roles requester, poolOwner and spare, with gas, RLC and a deposit."""
        self.worker_wallets = [
            accounts.derive(f"worker-{number}", self._seed) for number in range(1, self.options.workers + 1)
        ]
        block_time = self.options.block_time
        self.chain = Chain(
            log=self.logs / "chain.log",
            port=self.options.chain_port,
            chain_id=self.options.effective_chain_id,
            # In whole seconds, the interval starts once the contracts are deployed, which saves seven blocks.
            block_time=0 if block_time == int(block_time) else block_time,
            free_gas=self.options.flavour is Flavour.NATIVE,
            long=self.options.long_chain,
        )
        self.database = Database(log=self.logs / "mongod.log", folder=self.folder / "mongod")
        self.services: dict[str, Service] = {}
        """Services by name: registry, chain_adapter, result_proxy, core, worker-1 …, and those for the SDK."""
        self._plan: ServicePlan
        self.contracts: Contracts
        self.market: Market
        self.workerpool: Address
        self.databases: dict[str, str] = {}
        """Service name → name of its database."""
        self._ens_resolver: Address | None = None
        self._document_path: Path | None = None
        self._sdk_files: SdkFiles | None = None
        self._janitor: Janitor | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start everything; return when all services are healthy and all workers are connected.

        Raises a `DevnetError` that names the failed part, after stopping everything again.
        """
        claim_run_folder(self.folder)
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything and clean up."""
        await self.stop()

    def account(self, role: str) -> Wallet:
        """Return the wallet of a role, such as "requester" or "worker-2"."""
        return accounts.derive(role, self._seed)

    async def create_app(self, name: str, image: str, *, checksum: bytes = bytes(32)) -> Address:
        """Create an app owned by the requester; `image` is the name that Docker pulls."""
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
        """Buy `volume` tasks of an app owned by the requester; prices in nRLC per task."""
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
        """Return the content of `devnet.json`: everything that a client of this devnet needs."""
        return describe(
            RunningPool(
                rpc=self.chain.url,
                chain_id=self.chain.chain_id,
                block_time=self.options.block_time,
                trust=self.options.trust,
                contracts=self.contracts,
                workerpool=self.workerpool,
                accounts=self.accounts,
                private_keys={role: accounts.private_key(role, self._seed) for role in self.accounts},
                services=self.services.values(),
                database_uri=self.database.uri,
                databases=self.databases,
                sdk={} if self._sdk_files is None else self._sdk_files.describe(),
            )
        )

    def write_document(self, path: Path) -> None:
        """Write `devnet.json`, keep it up to date, and remove it when the devnet stops.

        A devnet that serves the SDK writes its files beside it: `chain.json`, `chain-8.json`, `chain-7.json` and the
        folder `keystore`. The document is written last.
        """
        self._document_path = path.absolute()
        if self._ens_resolver is not None:
            self._sdk_files = SdkFiles.write(self._document_path.parent, self._sdk_view(), self.accounts)
        if self._janitor is not None:
            for each in [self._document_path, *(self._sdk_files.paths if self._sdk_files else ())]:
                self._janitor.remove_also(each)
        self._rewrite_document()

    async def wait(self) -> None:
        """Wait until cancelled; raises `ProcessError` when the chain or the database ends."""
        assert self._watcher is not None
        await asyncio.shield(self._watcher)

    async def stop(self) -> None:
        """Stop workers, services, database and chain in this order, within about 10 seconds; then clean up."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
            if not self._watcher.cancelled():
                self._watcher.exception()  # `wait` has raised it already
            self._watcher = None
        if self._document_path is not None:
            self._document_path.unlink(missing_ok=True)
        if self._sdk_files is not None:
            self._sdk_files.remove()
        running = [service for service in self.services.values() if service.process.running]
        for service in self.services.values():
            service.wanted = False
        await _stop([service.process for service in running if service.is_worker])
        await asyncio.gather(
            _stop([service.process for service in running if not service.is_worker]),
            asyncio.to_thread(remove_worker_containers, self._worker_addresses()),
        )
        await asyncio.to_thread(self.database.stop)
        await asyncio.to_thread(self.chain.stop)
        await asyncio.to_thread(remove_run_folder, self.folder, keep_logs=self._keep_logs)
        if self._janitor is not None:
            self._janitor.dismiss()
            self._janitor = None

    async def _start(self) -> None:
        await asyncio.to_thread(packages.ensure_packages, self.options.progress)
        # Processes are started here, in the main thread, and awaited in other threads.
        self._janitor = Janitor(self.folder, self._worker_addresses(), keep_logs=self._keep_logs)
        self.chain.launch()
        self.database.launch()
        with self._timed("chain started, contracts deployed, accounts funded"):
            await asyncio.to_thread(self._deploy)
        self._start_services()
        if self.options.sdk:
            with self._timed("workerpool named in ENS"):
                self._ens_resolver = await asyncio.to_thread(self._name_pool)
        # The services import for a second before they need the database.
        with self._timed("database started"):
            await asyncio.to_thread(self.database.wait_ready)
        started = [service for service in self.services.values() if service.wanted]
        if started:
            with self._timed(f"{len(started)} services healthy"):
                await self._wait_healthy(started)
        workers = [service for service in started if service.is_worker]
        if self.services["core"].wanted:
            with self._timed(f"{len(workers)} workers registered"):
                await self._wait_registered(workers)
        publisher = self.services.get("order_publisher")
        if self.options.sdk and publisher is not None and publisher.wanted and workers:
            await self._wait_offered()
        self._watcher = asyncio.create_task(self._watch(), name="devnet watcher")

    def _deploy(self) -> None:
        self.chain.wait_ready()
        rpc = self.chain.rpc
        self.contracts = deployment.deploy(rpc, accounts.deployer(rpc), self.options.flavour)
        accounts.fund(rpc, self.contracts, [*self.accounts.values(), *self.worker_wallets])
        self.market = Market(rpc, self.contracts)
        self.workerpool = self.market.create_workerpool(self.accounts["poolOwner"], "devnet")
        if self.options.block_time >= 1 and self.options.block_time == int(self.options.block_time):
            self.chain.mine_every(self.options.block_time)

    def _start_services(self) -> None:
        for service in ("chain_adapter", "result_proxy", "core", "sms"):
            name = f"workerpool_{service}"
            self.databases[service] = self.database.new_name(name) if self.database.external else name
        plan = ServicePlan(self.folder, self.options, self.accounts["poolOwner"], self.worker_wallets)
        self._plan = plan
        named = self.options.services
        for spec in plan.specs(self._surroundings()):
            if spec.name in SDK_SERVICES and not (self.options.sdk or spec.name in (named or ())):
                continue
            folder = self.folder / spec.name
            folder.mkdir()
            log = (self.options.service_logs or self.logs) / f"{spec.name}.log"
            process = ManagedProcess(spec.name, spec.command, log=log, env=spec.environment, folder=folder)
            self.services[spec.name] = Service(spec, process)
            if named is None or spec.name in named:
                self.services[spec.name].start()

    def _name_pool(self) -> Address:
        rpc = self.chain.rpc
        return ens.name_pool(rpc, accounts.deployer(rpc), self.workerpool, self.services["core"].http)

    def _sdk_view(self) -> SdkView:
        assert self._ens_resolver is not None
        return SdkView(
            chain_id=self.chain.chain_id,
            native=self.options.flavour is Flavour.NATIVE,
            rpc=self.chain.url,
            hub=self.contracts.hub,
            core=self.services["core"].http,
            result_proxy=self.services["result_proxy"].http,
            sms=self._plan.url("sms"),
            market=self._plan.url("market"),
            ens_registry=ens.REGISTRY,
            ens_resolver=self._ens_resolver,
        )

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            rpc=self.options.node_url or self.chain.url,
            anvil=self.chain.url,
            chain_id=self.chain.chain_id,
            free_gas=self.options.flavour is Flavour.NATIVE,
            hub=self.contracts.hub,
            workerpool=self.workerpool,
            block_time=self.options.block_time,
            mongo_uri=self.database.uri,
            databases=self.databases,
        )

    async def _wait_registered(self, workers: list[Service]) -> None:
        core = self.services["core"]
        wallets = {self.account(worker.name).address for worker in workers}
        processes = [core.process, *(worker.process for worker in workers)]
        await wait_registered(core.grpc, processes, wallets, timeout=self.options.start_timeout)

    async def _wait_offered(self) -> None:
        market, publisher = self.services["market"], self.services["order_publisher"]
        query = f"chainId={self.chain.chain_id}&workerpool={self.workerpool}&category={OFFERED_CATEGORIES[0]}"
        try:
            with self._timed("workerpool offered on the market"):
                await wait_offered(
                    f"{market.http}/workerpoolorders?{query}",
                    [market.process, publisher.process],
                    timeout=min(_OFFER_SECONDS, self.options.start_timeout),
                )
        except ProcessError as error:
            # The pool works without an order on the market: orders may be published by hand or matched directly.
            self.options.progress(f"no offer on the market yet: {error}")

    async def _wait_healthy(self, services: list[Service]) -> None:
        processes = {service.http: service.process for service in services}
        await wait_healthy(processes, timeout=self.options.start_timeout)

    async def _watch(self) -> None:
        """Fail when the chain or the database ends; restart services that end, if the options say so."""
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
                self.options.progress(f"{service.name} ended with exit code {code}; restarting it")
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
    """Stop processes concurrently. Each gets one SIGTERM: a second one ends a service without a drain."""
    for process in processes:
        process.terminate()
    await asyncio.gather(*(asyncio.to_thread(process.finish, _STOP_SECONDS) for process in processes))
