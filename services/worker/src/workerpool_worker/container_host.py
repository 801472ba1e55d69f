"""Open the container engine and the network of apps as the settings say."""

import os
import socket
from contextlib import AsyncExitStack
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.targets import GRPC_PORT_OFFSET

from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.container_config import TASK_LABEL, WORKER_LABEL
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.docker.images.cache import CachePolicy
from workerpool_worker.adapters.docker.images.credentials import RegistryCredentials
from workerpool_worker.adapters.docker.images.store import DockerImages
from workerpool_worker.adapters.docker.network.cleanup import remove_unused_networks
from workerpool_worker.adapters.docker.network.isolated import IsolatedNetwork
from workerpool_worker.adapters.docker.network.kinds import AppNetwork, NamedNetwork, UnopenedNetwork
from workerpool_worker.adapters.docker.network.probe import NetworkProbe
from workerpool_worker.adapters.gpu_discovery import nvidia_gpus
from workerpool_worker.adapters.http_downloads.registry_check import RegistryCheck
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.domain.containers.app_network import (
    AppNetworkRules,
    name_servers,
    parse_networks,
    parse_resolvers,
)
from workerpool_worker.domain.containers.disk import DiskLimits
from workerpool_worker.domain.containers.division import HostDivision, own_processors
from workerpool_worker.domain.containers.engine_host import EngineHost, joins_namespaces
from workerpool_worker.domain.containers.gpus import gpu_problem
from workerpool_worker.errors import AppNetworkUnsafe, EngineFailure
from workerpool_worker.settings import WorkerSettings

log = get_logger()

ISOLATED, NO_NETWORK = "isolated", "none"
_RUN = Path("/run")
_RESOLV_CONF, _SYSTEMD_RESOLV_CONF = Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf")
_SYSTEMD_STUB = "127.0.0.53"
"""The engine replaces this name server by the upstream servers of systemd-resolved."""


def open_engine(settings: WorkerSettings, wallet_address: str, slots: int) -> DockerEngine:
    """Return the engine of the worker's containers, without connecting. No app runs before it joins a network."""
    for variable, defect in settings.unused_credentials():
        log.warning("credentials.ignored", variable=variable, reason=defect)
    return DockerEngine(
        wallet_address,
        registries=settings.registries,
        concurrency=slots,
        network=UnopenedNetwork(),
        check_registry=RegistryCheck(settings.downloads.allowed),
        max_image_bytes=settings.image_max_bytes,
        image_cache=image_policy(settings),
        disk=DiskLimits(settings.app_disk_bytes, settings.disk_floor_bytes),
        output_rate=settings.app_output_rate,
        helper_image=settings.network_probe_image,
    )


def image_policy(settings: WorkerSettings) -> CachePolicy:
    """Return how long the worker's own images stay, and where they are recorded."""
    return CachePolicy(settings.folder / "images.json", settings.image_floor_bytes, settings.image_keep_s)


async def find_gpus(settings: WorkerSettings) -> tuple[str, ...]:
    """Return the GPUs that apps of this worker get; empty, with a warning if some were promised, for none."""
    if not settings.gpu_enabled:
        return ()
    gpus = settings.gpu_ids or await nvidia_gpus()
    if defect := gpu_problem(gpus, settings.gpus_per_task):
        log.warning(
            "gpu.not_found",
            reason=defect,
            advice="no task that requires a GPU is accepted; install the driver, or set WORKERPOOL_WORKER_GPU_IDS",
        )
        return ()
    return gpus


def processor_count(settings: WorkerSettings) -> int:
    """Return the number of processors that the default number of slots follows."""
    return len(os.sched_getaffinity(0)) if settings.app_cpu_sets else os.cpu_count() or 1


def divide_host(
    engine: DockerEngine, settings: WorkerSettings, host: EngineHost, slots: int, gpus: tuple[str, ...]
) -> None:
    """Let new apps run with the runtime, the processors, the GPUs and the name servers that they are to have."""
    processors: tuple[str, ...] = ()
    if settings.app_cpu_sets:
        allowed = os.sched_getaffinity(0) if engine.is_local else set(range(host.processors))
        processors = own_processors(allowed, slots)
        if not processors:
            log.warning(
                "cpu_sets.disabled",
                reason=f"{slots} slots and {len(allowed)} processors",
                advice="apps share the processors; lower IEXEC_WORKER_OVERRIDE_AVAILABLE_CPU_COUNT, or set "
                "WORKERPOOL_WORKER_APP_CPU_SETS to false",
            )
    engine.divide(
        HostDivision(settings.container_runtime, processors, gpus, _own_resolv_conf(settings, host)),
        SharedUse(lock_folder(settings), "workerpool-gpus"),
    )
    log.info("host.divided", processors=len(processors), gpus=len(gpus))


def runtime_of(settings: WorkerSettings, host: EngineHost) -> str:
    """Return the runtime that apps get: that of the settings or the engine's default."""
    return settings.container_runtime or host.default_runtime


def _own_resolv_conf(settings: WorkerSettings, host: EngineHost) -> Path | None:
    """Write the file that names this host's name servers to apps, if their runtime hides that of the engine.

    The engine's own name server is a rule in a container's network namespace, which other kernels do not have.
    """
    servers = name_servers(_resolv_conf())
    if not servers or settings.app_network != ISOLATED or joins_namespaces(runtime_of(settings, host)):
        return None
    path = settings.folder / "resolv.conf"
    path.write_text("".join(f"nameserver {address}\n" for address in servers))
    return path


async def open_network(
    settings: WorkerSettings,
    wallet_address: str,
    pool_urls: list[str],
    health: Health,
    stack: AsyncExitStack,
    *,
    runtime: str = "",
) -> AppNetwork:
    """Open the network of apps. Fail if apps would reach this host and the operator has not allowed it.

    `stack` closes it. `pool_urls` are addresses of the pool that apps must not reach if they are not global, `runtime`
    is that of apps. Raises `EngineFailure` if the engine does not make the network; a later attempt may succeed.
    """
    if settings.app_network != ISOLATED:
        if settings.app_network != NO_NETWORK:
            log.warning(
                "network.left_unisolated",
                network=settings.app_network,
                advice="apps of strangers reach this host and its networks; "
                "set WORKERPOOL_WORKER_APP_NETWORK to isolated or none",
            )
        return NamedNetwork(settings.app_network)
    async with AsyncExitStack() as attempt:
        network = await _open_isolated(settings, wallet_address, pool_urls, health, attempt, runtime)
        # A failed attempt closes what it has opened.
        stack.push_async_exit(attempt.pop_all())
    return network


async def _open_isolated(
    settings: WorkerSettings,
    wallet_address: str,
    pool_urls: list[str],
    health: Health,
    stack: AsyncExitStack,
    runtime: str,
) -> IsolatedNetwork:
    connection = DockerConnection(pool_size=4, base_url=None)
    stack.callback(connection.close)
    rules = AppNetworkRules(parse_networks(settings.app_allowed_networks), parse_resolvers(_resolv_conf()))
    probe = None
    if settings.network_probe_image:
        probe = NetworkProbe(
            connection,
            DockerImages(connection, RegistryCredentials(settings.registries)),
            settings.network_probe_image,
            _private_targets(pool_urls, rules),
            # An empty task: the next start removes it if this process is killed meanwhile.
            label={WORKER_LABEL: wallet_address, TASK_LABEL: ""},
        )
    network = IsolatedNetwork(
        connection,
        rules,
        probe=probe,
        rules_file=settings.folder / "app-network.nft",
        worker=wallet_address,
        sandbox_image=settings.network_probe_image,
        in_sandboxes=joins_namespaces(runtime),
        shared=SharedUse(lock_folder(settings), rules.network),
        on_safety=lambda reason: health.set(
            "app_network", not reason, **({"error": reason} if reason else {})
        ),
    )
    try:
        await network.open()
    except AppNetworkUnsafe as problem:
        raise StartupError(problem.message) from problem
    stack.push_async_callback(network.close)
    if sees_other_workers(settings):
        try:
            await remove_unused_networks(connection, lock_folder(settings), network.mode)
        except (EngineFailure, OSError) as problem:
            log.warning("network.removal_failed", error=str(problem))
    health.set("app_network", True)
    return network


def lock_folder(settings: WorkerSettings) -> Path:
    """Return a folder that the workers of this host share; without root, the worker's own."""
    return _RUN if os.access(_RUN, os.W_OK) else settings.folder


def sees_other_workers(settings: WorkerSettings) -> bool:
    """Return whether `lock_folder` shows which networks the other workers of this host use."""
    return lock_folder(settings) == _RUN


def _resolv_conf() -> str:
    try:
        text = _RESOLV_CONF.read_text()
        return _SYSTEMD_RESOLV_CONF.read_text() if _SYSTEMD_STUB in text else text
    except OSError:
        return ""


def _private_targets(urls: list[str], rules: AppNetworkRules) -> list[str]:
    """Return the addresses of URLs that the rules refuse, as `host:port`, with the gRPC port beside each HTTP port."""
    targets = set()
    for url in urls:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = socket.getaddrinfo(parts.hostname, port, socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            continue
        for address in {IPv4Address(entry[4][0]) for entry in found}:
            if rules.refuses(address) and not address.is_loopback:
                targets |= {f"{address}:{port}", f"{address}:{min(port + GRPC_PORT_OFFSET, 65_535)}"}
    return sorted(targets)
