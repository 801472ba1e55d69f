"""The pool of a run: honest workers, workers on broken hosts that start later, file servers and funded wallets."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from small_volumes import SmallVolume, VolumeRefused
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market import accounts
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.packages import repository_root
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.services.readiness import wait_registered

from hostile import settings
from hostile.apps import Images
from hostile.buyers import Buyers, fund_requesters
from hostile.catalogue.all import entries
from hostile.catalogue.entry import Ground
from hostile.file_servers import file_servers
from hostile.workers.hosts import BrokenHosts, temporary_folder
from hostile.workers.strangers import STRANGERS

HONEST_WORKERS = 4
_LOG_BYTES = 512 << 20
_REFERENCE = "WORKERPOOL_WORKER_DOWNLOAD_REFERENCE_URLS"
"""Addresses that tell a worker whether a failed download is the fault of its own network."""
KEPT_LOGS = repository_root() / ".cache" / "hostile"
"""Folder of the logs of the last run."""
_REGISTERED_SECONDS = 60.0
_SERVICES = ("registry", "chain_adapter", "result_proxy", "core")
Say = Callable[[str], None]


@dataclass
class HostilePool:
    """A running pool and everything around it."""

    net: Devnet
    buyers: Buyers
    hosts: BrokenHosts
    logs: SmallVolume | None
    """The volume that holds the logs of the services; None when it cannot be mounted."""
    logs_folder: Path

    @property
    def honest_workers(self) -> list[str]:
        """Names of the honest workers."""
        return [f"worker-{number}" for number in range(1, HONEST_WORKERS + 1)]

    @property
    def honest_wallets(self) -> dict[str, str]:
        """Wallet in lower case → name, of the honest workers."""
        return {self.net.account(name).address.lower(): name for name in self.honest_workers}

    @property
    def wallets(self) -> dict[str, str]:
        """Wallet in lower case → name, of all workers and strangers."""
        strangers = {self.net.account(s.role).address.lower(): s.role for s in STRANGERS}
        broken = {
            self.net.account(name).address.lower(): f"{name} ({kind})"
            for name, kind in self.hosts.kinds.items()
        }
        return self.honest_wallets | strangers | broken

    async def start_broken(self) -> None:
        """Start the workers on broken hosts, then break the hosts that are still whole."""
        await self.revive_broken()
        core = self.net.services["core"]
        wallets = {self.net.account(name).address for name in self.hosts.kinds}
        await wait_registered(core.grpc, [core.process], wallets, timeout=_REGISTERED_SECONDS)
        await self.hosts.break_all()

    async def revive_broken(self) -> None:
        """Start the workers on broken hosts that do not run; the devnet would restart them without a pause."""
        for name in self.hosts.kinds:
            if not (process := self.net.services[name].process).running:
                process.start()

    async def stop_workers(self) -> list[str]:
        """Stop every worker with SIGTERM; return those that did not end by themselves."""
        running = [s for s in self.net.services.values() if s.is_worker and s.process.running]
        for service in running:
            service.wanted = False
            service.process.terminate()
        ended = await asyncio.gather(
            *(asyncio.to_thread(service.process.wait, settings.STOP_LIMIT_S) for service in running)
        )
        return [
            f"{service.name} did not end within {settings.STOP_LIMIT_S:g} s of SIGTERM"
            for service, done in zip(running, ended, strict=True)
            if not done
        ]


@contextlib.asynccontextmanager
async def hostile_pool(say: Say) -> AsyncIterator[HostilePool]:
    """Run the pool inside a context. Only honest workers run until `start_broken`."""
    images = Images(entries())
    await asyncio.to_thread(images.build)
    say(f"images built: {images.name} and others")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        honest, traps = stack.enter_context(file_servers())
        logs_folder, logs = folder / "logs", None
        try:
            logs = stack.enter_context(SmallVolume.mounted(logs_folder, _LOG_BYTES))
        except VolumeRefused as error:
            say(f"left out: full log volume: {error}")
        async with BrokenHosts(HONEST_WORKERS + 1, folder).made() as hosts:
            for reason in hosts.left_out:
                say(f"left out: worker with {reason}")
            options = DevnetOptions(
                workers=HONEST_WORKERS + len(hosts.kinds),
                services=(*_SERVICES, *(f"worker-{n}" for n in range(1, HONEST_WORKERS + 1))),
                restart=True,
                long_chain=True,
                service_logs=logs_folder,
                environment={
                    "worker": {**settings.WORKER, _REFERENCE: f"{honest}/one.txt"},
                    "core": settings.CORE,
                    **hosts.environment,
                },
                progress=say,
                start_timeout=120,
            )
            try:
                async with Devnet(options) as net:
                    await asyncio.to_thread(_fund, net)
                    ground = _ground(net, images, honest, traps)
                    yield HostilePool(net, Buyers(net, images, ground), hosts, logs, logs_folder)
            finally:
                await asyncio.to_thread(_keep_logs, logs_folder)
                say(f"the logs of the services are in {KEPT_LOGS}")


def _ground(net: Devnet, images: Images, honest: str, traps: str) -> Ground:
    ports = [service.spec.ports for service in net.services.values()]
    return Ground(
        image=images.name,
        files=honest,
        traps=traps,
        closed_port=free_port(),
        pool_ports=tuple(port for pair in ports[:6] for port in (pair.http, pair.grpc)),
        callback=net.contracts.rlc,
    )


def _fund(net: Devnet) -> None:
    """Give requesters and strangers what they need; strangers without stake only get gas."""
    fund_requesters(net)
    staked = [net.account(stranger.role) for stranger in STRANGERS if stranger.stake]
    accounts.fund(net.chain.rpc, net.contracts, staked)
    poor = [net.account(stranger.role).address for stranger in STRANGERS if not stranger.stake]
    net.chain.rpc.batch([("anvil_setBalance", [wallet, hex(accounts.GAS_BALANCE)]) for wallet in poor])


def _keep_logs(folder: Path) -> None:
    """Copy the logs to a folder that outlives the run, in place of those of the run before."""
    shutil.rmtree(KEPT_LOGS, ignore_errors=True)
    shutil.copytree(folder, KEPT_LOGS, ignore=shutil.ignore_patterns("filler"))
