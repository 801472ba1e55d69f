"""What the worker depends on, as health components: node, engine, result proxy and the volume of its folder."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from workerpool_kit.dependencies.grpc_service import problem_of
from workerpool_kit.dependencies.report import (
    UNREACHABLE,
    WRONG,
    Dependency,
    DependencyProblem,
    DependencyReport,
)
from workerpool_kit.dependencies.watch import Probe
from workerpool_kit.health import Health
from workerpool_poco.chain.rpc import JsonRpc, without_secrets
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import PocoError, WrongChain
from workerpool_poco.protocol.authorization import audience_of
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1.result_service_pb2_grpc import ResultServiceStub

from workerpool_worker.adapters.chain.pool_heads import PoolHeads
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.files.disk_usage import free_space
from workerpool_worker.domain.containers.disk import DiskLimits
from workerpool_worker.errors import EngineFailure
from workerpool_worker.settings import WorkerSettings

PROXY_SERVICE = "workerpool.result_proxy.v1.ResultService"
_CALL_LIMIT_S, _PROGRESS_PERIOD_S = 2.5, 2.0
_NODE_VARIABLE = "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS"

SLOW_PERIOD_S = 5.0
"""Seconds between two probes of what thousands of workers share, and of what costs money: engine, proxy, node."""


def core_dependency(settings: WorkerSettings) -> Dependency:
    """Return the scheduler."""
    return Dependency("core", "IEXEC_CORE_URL", settings.core, "start the scheduler or correct the variable")


def node_report(health: Health, settings: WorkerSettings, node_url: str) -> DependencyReport:
    """Return the report of the node, which the worker's operator or the pool's config server names."""
    source = (
        _NODE_VARIABLE if settings.node_address else f"{_NODE_VARIABLE} (unset: the config server names it)"
    )
    next_step = f"start the node, or set {_NODE_VARIABLE} to another one of the pool's chain"
    return DependencyReport(health, Dependency("chain", source, without_secrets(node_url), next_step))


def node_problem(error: Exception) -> DependencyProblem:
    """Return an error of the node as the operator reads it in health."""
    kind = WRONG if isinstance(error, WrongChain) else UNREACHABLE
    return DependencyProblem(str(error) or "the node does not answer", kind=kind)


def node_probe(heads: PoolHeads, rpc: JsonRpc, now: Callable[[], float] = time.monotonic) -> Probe:
    """Return the probe of the worker's node.

    While the worker polls for heads itself, these polls serve as probes. While the scheduler sends heads, it reads the
    block number every `SLOW_PERIOD_S` seconds.
    """
    due, problem = float("-inf"), None

    async def ask() -> Exception | None:
        try:
            await rpc.call("eth_blockNumber", attempts=1)
        except PocoError as error:
            return error
        return None

    async def probe() -> None:
        nonlocal due, problem
        if not heads.pushed:
            problem = heads.outage
        elif now() >= due:
            problem = await ask()
            due = now() + (SLOW_PERIOD_S if problem is None else 1.0)
        if problem is not None:
            raise node_problem(problem)

    return probe


def wallet_dependency(wallet: Wallet) -> Dependency:
    """Return the worker's wallet, whose coins pay for gas."""
    next_step = "send it coins for gas; the worker resumes automatically"
    return Dependency("wallet", "IEXEC_WORKER_WALLET_PATH", wallet.address, next_step)


async def probe_once(report: DependencyReport, probe: Probe) -> None:
    """Record the outcome of a probe."""
    try:
        await probe()
    except DependencyProblem as problem:
        report.fails(problem)
    else:
        report.works()


def docker_dependency() -> Dependency:
    """Return the Docker engine."""
    next_step = "start Docker, give this user access to its socket, or set DOCKER_HOST"
    return Dependency("docker", "DOCKER_HOST", "the Docker engine of this host", next_step)


async def probe_docker(engine: DockerEngine) -> None:
    """Return when the engine answers. Raises DependencyProblem."""
    try:
        await engine.version()
    except EngineFailure as error:
        raise DependencyProblem(error.message) from None


def disk_dependency(settings: WorkerSettings) -> Dependency:
    """Return the free disk space of the host."""
    next_step = (
        "free some space or lower WORKERPOOL_WORKER_DISK_FLOOR_BYTES; the worker resumes automatically"
    )
    return Dependency("disk", "WORKERPOOL_WORKER_DISK_FLOOR_BYTES", str(settings.folder), next_step)


async def probe_disk(folder: Path, limits: DiskLimits) -> None:
    """Return while the disk of the worker's folder has room for an app. Raises DependencyProblem."""
    try:
        free = await asyncio.to_thread(free_space, folder)
    except OSError as error:
        raise DependencyProblem(f"{folder} cannot be read: {error.strerror}", kind=WRONG) from None
    if limits.is_full(free):
        raise DependencyProblem(
            f"the disk has less than {limits.floor_bytes >> 20} MiB or {limits.floor.files} files of free space",
            kind=WRONG,
        )


async def tell_progress(
    pulls: Callable[[], list[str]], waiting_uploads: Callable[[], list[str]], health: Health
) -> None:
    """Show in health which images are being pulled and which results wait for their upload, until cancelled."""
    while True:
        for component, detail, told in (
            ("images", "pulls", pulls()),
            ("uploads", "waiting", waiting_uploads()),
        ):
            health.set(component, True, **({detail: told} if told else {}))
        await asyncio.sleep(_PROGRESS_PERIOD_S)


def proxy_dependency(url: str) -> Dependency:
    """Return the result proxy that the scheduler names."""
    return Dependency(
        "proxy",
        "IEXEC_RESULT_REPOSITORY_URL of the scheduler",
        url,
        "start the result proxy, or correct the variable of the scheduler; results wait here meanwhile",
    )


async def check_proxy_name(channel: grpc.aio.Channel, url: str) -> None:
    """Raise DependencyProblem unless the proxy calls itself by the URL that the scheduler tells.

    This worker signs uploads for that URL only, so a wrong name would cost the stake of every contribution.
    """
    request = pb.CreateChallengeRequest(task_id="0x" + "00" * 32, wallet_address=ZERO_ADDRESS)
    stub: Any = ResultServiceStub(channel)
    try:
        audience = (await stub.CreateChallenge(request, timeout=_CALL_LIMIT_S)).audience
    except grpc.aio.AioRpcError as error:
        raise problem_of(error, "result proxy") from None
    if audience != audience_of(url):
        raise DependencyProblem(
            f"the result proxy calls itself {audience[:200]!r}, but the scheduler calls it {audience_of(url)!r}",
            kind=WRONG,
            variable="IEXEC_RESULT_PROXY_PUBLIC_URL of the result proxy",
            next_step="set it to the scheduler's IEXEC_RESULT_REPOSITORY_URL; no result can be uploaded meanwhile",
        )
