"""Periodic checks of the host while the worker runs, reported as components of health.

`domain.host_guard` parks the worker while one of them fails. An inconclusive check changes nothing: an engine, a
scheduler or a node that does not answer has its own component.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import grpc
from workerpool_kit.dependencies.report import WRONG, Dependency, DependencyProblem, DependencyReport
from workerpool_kit.dependencies.volume import probe_volume, volume_dependency
from workerpool_kit.dependencies.watch import Probe, start_watching, watch
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.process import Lifetime

from workerpool_worker import dependencies
from workerpool_worker.adapters.chain.chain_clock import Heads
from workerpool_worker.adapters.docker.checks.shared_folder import sees_folder
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.host_memory import available_memory
from workerpool_worker.adapters.http_downloads.reach import Reach, servers_of
from workerpool_worker.domain.containers.disk import DiskLimits
from workerpool_worker.domain.diagnosis.clock import REMEDY, clock_trouble
from workerpool_worker.domain.diagnosis.findings import Severity
from workerpool_worker.domain.diagnosis.judgements import INTERNET_REMEDY, memory_finding
from workerpool_worker.errors import CoreRefused, EngineFailure
from workerpool_worker.settings import WorkerSettings

log = get_logger()

_CLOCK_EVERY_S, _CLOCK_AGAIN_S = 300.0, 15.0
_INTERNET_EVERY_S, _INTERNET_AGAIN_S = 60.0, 10.0
_FOLDER_EVERY_S, _FOLDER_AGAIN_S = 600.0, 15.0
"""Seconds between two checks: each creates and removes a container."""
_FIRST_CHECK_LIMIT_S = 10.0
_CHECK_LIMIT_S = 120.0
"""Longer than any check takes: a slow engine or network is not a missing one."""

AskClock = Callable[[], Awaitable[float | None]]
"""Returns the scheduler's clock in Unix seconds; None when it reports none. Raises AioRpcError or CoreRefused."""
Check = Callable[[], Awaitable[str | None]]
"""Returns what is wrong; empty if nothing is, None if the check is inconclusive."""


class PeriodicCheck:
    """A probe that repeats a check periodically, more often after a failure or an inconclusive check."""

    def __init__(
        self, check: Check, *, every_s: float, again_s: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Store the check; the first call runs it."""
        self._check, self._every_s, self._again_s, self._now = check, every_s, again_s, now
        self._due = float("-inf")
        self._problem = ""

    async def __call__(self) -> None:
        """Run the check if it is due. Raises DependencyProblem while something is wrong."""
        if self._now() >= self._due:
            found = await self._check()
            self._problem = self._problem if found is None else found
            is_well = found == "" and not self._problem
            self._due = self._now() + (self._every_s if is_well else self._again_s)
        if self._problem:
            raise DependencyProblem(self._problem, kind=WRONG)


def clock_check(
    ask: AskClock,
    heads: Heads,
    *,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> Check:
    """Return the check of this host's clock against the scheduler's and the newest block of the chain."""

    async def check() -> str | None:
        asked_at, began = now(), monotonic()
        try:
            told = await ask()
        except (grpc.aio.AioRpcError, CoreRefused):
            return None
        if told is None:
            return None
        head = heads.latest
        half_way = asked_at + (monotonic() - began) / 2
        return clock_trouble(half_way, told, None if head is None else float(head.timestamp))

    return check


def internet_check(any_answers: Callable[[], Awaitable[bool]]) -> Check:
    """Return the check that a registry or a gateway answers.

    A host that never reached one may already have its images, so only a lost network parks it.
    """
    reached = logged = False

    async def check() -> str | None:
        nonlocal reached, logged
        if await any_answers():
            reached = True
            return ""
        if reached:
            return "no registry and no IPFS gateway answers any more"
        if not logged:
            logged = True
            log.info("internet.lost", advice=INTERNET_REMEDY)
        return ""

    return check


def folder_check(connection: DockerConnection, folder: Path, wallet_address: str) -> Check:
    """Return the check that the engine sees the worker's folder under the same path."""

    async def check() -> str | None:
        try:
            if await sees_folder(connection, folder, wallet_address):
                return ""
        except (EngineFailure, OSError):
            return None
        return (
            f"the engine does not see the files of {folder}, so apps would find no input and leave no result"
        )

    return check


async def probe_memory(floor_bytes: int, available: Callable[[], int | None] = available_memory) -> None:
    """Return if the host has memory for another app. Raises DependencyProblem."""
    finding = memory_finding(await asyncio.to_thread(available), floor_bytes)
    if finding.severity is Severity.PROBLEM:
        raise DependencyProblem(finding.message, kind=WRONG)


def watch_disks(settings: WorkerSettings, health: Health, lifetime: Lifetime, stack: AsyncExitStack) -> None:
    """Watch the free space of the worker's folder, for itself and for apps."""
    room = volume_dependency("workspace", "IEXEC_WORKER_BASE_DIR", settings.folder)
    volume = watch(DependencyReport(health, room), lambda: probe_volume(settings.folder))
    start_watching(lifetime, stack, volume, "workspace")
    disk = DependencyReport(health, dependencies.disk_dependency(settings))
    limits = DiskLimits(settings.app_disk_bytes, settings.disk_floor_bytes)
    probe_disk = watch(disk, lambda: dependencies.probe_disk(settings.folder, limits))
    start_watching(lifetime, stack, probe_disk, "disk")


async def watch_host(
    settings: WorkerSettings,
    wallet_address: str,
    ask_clock: AskClock,
    heads: Heads,
    health: Health,
    lifetime: Lifetime,
    stack: AsyncExitStack,
) -> None:
    """Watch clock, memory, internet access, and the engine's view of the folder.

    Return once the folder was checked with the engine, so that no assignment precedes this check.
    """
    connection = DockerConnection(pool_size=1, base_url=None)
    stack.callback(connection.close)
    folder = PeriodicCheck(
        folder_check(connection, settings.folder, wallet_address),
        every_s=_FOLDER_EVERY_S,
        again_s=_FOLDER_AGAIN_S,
    )
    clock = PeriodicCheck(clock_check(ask_clock, heads), every_s=_CLOCK_EVERY_S, again_s=_CLOCK_AGAIN_S)
    servers = servers_of(settings.download_reference_urls, settings.ipfs_gateways, tuple(settings.registries))
    internet = PeriodicCheck(
        internet_check(Reach(servers).any_answers), every_s=_INTERNET_EVERY_S, again_s=_INTERNET_AGAIN_S
    )
    probes: dict[Dependency, Probe] = {_folder(settings): folder, _CLOCK: clock, _INTERNET: internet}
    if connection.is_local:
        probes[_MEMORY] = lambda: probe_memory(settings.memory_floor_bytes)
    for dependency, probe in probes.items():
        report = DependencyReport(health, dependency)
        # Healthy until a check fails: some of them take long.
        report.works()
        if probe is folder:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_CHECK_LIMIT_S):
                    await dependencies.probe_once(report, probe)
        watching = watch(report, probe, every_s=dependencies.SLOW_PERIOD_S, limit_s=_CHECK_LIMIT_S)
        start_watching(lifetime, stack, watching, dependency.component)


_CLOCK = Dependency("clock", "the system clock", "this host", REMEDY)
_INTERNET = Dependency(
    "internet", "WORKERPOOL_WORKER_DOWNLOAD_REFERENCE_URLS", "registries and IPFS gateways", INTERNET_REMEDY
)
_MEMORY = Dependency(
    "memory",
    "WORKERPOOL_WORKER_MEMORY_FLOOR_BYTES",
    "this host",
    "stop programs that use much memory, or lower the variable; the worker resumes automatically",
)


def _folder(settings: WorkerSettings) -> Dependency:
    base = settings.base_dir.absolute()
    next_step = (
        f"mount the folder into the worker's container under the same path as on the host (-v {base}:{base}), and run "
        "the engine on this host"
    )
    return Dependency("base_folder", "IEXEC_WORKER_BASE_DIR", str(settings.folder), next_step)
