"""The start-up checks. Each failure is one sentence that names the remedy."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TypeVar

import grpc
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import read_chain_config
from workerpool_kit.dependencies.report import DependencyProblem, DependencyReport
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.retry import Backoff, retry
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet, WalletError
from workerpool_poco.errors import (
    CallReverted,
    ChainUnreachable,
    EmptyAnswer,
    HubNotFound,
    RpcError,
    WrongChain,
)
from workerpool_transactions.adapters.detect import detect_profile
from workerpool_transactions.adapters.first_reads import read_until_answered
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile

from workerpool_worker import dependencies
from workerpool_worker.adapters.core.client import CoreClient, PoolConfiguration, describe, is_permanent
from workerpool_worker.adapters.core.messages import parse_assignment
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.files.worker_lock import take_lock
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.adapters.host_memory import total_memory
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.app.ports import JournalSnapshot
from workerpool_worker.domain.containers.engine_host import EngineHost, runtime_problem
from workerpool_worker.domain.diagnosis.judgements import place_finding
from workerpool_worker.errors import CoreRefused, EngineFailure, JournalUnusable
from workerpool_worker.settings import WorkerSettings

T = TypeVar("T")
log = get_logger()

_BACKOFF = Backoff(first_s=0.1, longest_s=1.0)


def open_core(settings: WorkerSettings) -> CoreClient:
    """Open the channel to the scheduler, without connecting."""
    try:
        return CoreClient(settings.core, settings.core_grpc)
    except ValueError as problem:
        raise StartupError(f"IEXEC_CORE_URL: {problem}") from problem


async def read_configuration(client: CoreClient, settings: WorkerSettings, version: str) -> PoolConfiguration:
    """Read the pool's configuration. Fail for another workerpool or another required worker version."""
    try:
        pool = await _when_available(client.configuration, f"the scheduler at {settings.core}")
    except CoreRefused as refused:
        raise StartupError(f"{refused.message}; check IEXEC_CORE_URL") from refused
    if pool.workerpool != settings.pool_address:
        raise StartupError(
            f"the scheduler at {settings.core} runs the workerpool {pool.workerpool}, not POOL_ADDRESS "
            f"{settings.pool_address}; correct POOL_ADDRESS or IEXEC_CORE_URL"
        )
    if pool.required_worker_version and pool.required_worker_version != version:
        raise StartupError(
            f"the scheduler requires worker version {pool.required_worker_version}, this is {version}; "
            f"install version {pool.required_worker_version}"
        )
    if pool.result_proxy_url:
        _check_proxy(pool.result_proxy_url, settings)
    log.info("core.configuration_read", workerpool=pool.workerpool, scheduler_version=pool.scheduler_version)
    return pool


def _check_proxy(url: str, settings: WorkerSettings) -> None:
    """Fail for a result proxy that would get this worker's tokens without TLS; each upload checks it again."""
    try:
        settings.check_cleartext(
            "the scheduler's IEXEC_RESULT_REPOSITORY_URL", url, "the token for the result proxy"
        )
    except ValueError as refused:
        raise StartupError(str(refused)) from refused


async def read_chain(pool: PoolConfiguration, settings: WorkerSettings) -> ChainConfig:
    """Read the chain of the workerpool from the config server. The operator's own node replaces the pool's node."""
    config = await read_chain_config(
        pool.config_server_url, source="the config server named by the scheduler"
    )
    return replace(config, node_url=settings.node_address or config.node_url)


async def open_wallet(settings: WorkerSettings) -> Wallet:
    """Decrypt the key store of the wallet."""
    try:
        wallet = await asyncio.to_thread(
            Wallet.from_keystore, settings.wallet_path, settings.wallet_password.get_secret_value()
        )
    except WalletError as problem:
        raise StartupError(
            f"{problem}; check IEXEC_WORKER_WALLET_PATH and IEXEC_WORKER_WALLET_PASSWORD"
        ) from problem
    log.info("wallet.opened", address=wallet.address)
    return wallet


async def reach_docker(engine: DockerEngine, report: DependencyReport) -> int:
    """Reach the Docker engine and return the memory of its host in bytes.

    An engine of this host that does not answer may come later: then it is the memory of this host. The memory of
    another host is not known, so its engine must answer.
    """
    try:
        version = await engine.version()
        host = await engine.host()
    except EngineFailure as problem:
        own = total_memory() if engine.is_local else None
        if own is None:
            raise StartupError(
                f"{problem.message}; start Docker, give this user access to its socket, or set DOCKER_HOST"
            ) from problem
        report.fails(DependencyProblem(problem.message))
        log.warning("docker.awaited", error=problem.message, advice=report.dependency.next_step)
        return own
    report.works()
    log.info("docker.connected", version=version, memory_bytes=host.memory_bytes)
    return host.memory_bytes


def check_runtime(host: EngineHost, runtime: str) -> None:
    """Fail if the engine lacks the runtime of apps."""
    if defect := runtime_problem(runtime, host.runtimes):
        raise StartupError(
            f"{defect}; install it and name it in the engine's daemon.json, or set IEXEC_WORKER_CONTAINER_RUNTIME to "
            "one that the engine has"
        )


async def check_chain(
    hub: HubClient, chain: ChainConfig, settings: WorkerSettings, report: DependencyReport
) -> None:
    """Reach the blockchain node within the start-up limit, and find the hub and the workerpool there.

    Health shows the reason of the wait.
    """

    async def connect() -> None:
        await hub.connect()
        await hub.workerpool_owner(settings.pool_address)

    try:
        await read_until_answered(
            connect,
            what=f"connect to the blockchain node {hub.rpc.node_url}",
            timeout_s=settings.startup_limit_s,
            on_failure=lambda error: report.fails(dependencies.node_problem(error)),
        )
    except (WrongChain, HubNotFound) as problem:
        raise StartupError(f"{problem}; check the node's address and the config server") from problem
    except (CallReverted, ValueError) as problem:
        raise StartupError(
            f"there is no workerpool {settings.pool_address} on chain {chain.chain_id}; check POOL_ADDRESS"
        ) from problem
    except (ChainUnreachable, EmptyAnswer, RpcError) as problem:
        raise StartupError(
            f"the blockchain node cannot be reached: {problem}; check it, or set "
            "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS to another node"
        ) from problem
    log.info("chain.connected", node=hub.rpc.node_url, chain_id=chain.chain_id, hub=chain.hub_address)


async def read_profile(
    hub: HubClient, chain: ChainConfig, settings: WorkerSettings, policy: FeePolicy
) -> ChainProfile:
    """Find how the chain takes transactions. An outage of the node is waited for."""
    profile = await read_until_answered(
        lambda: detect_profile(hub.rpc, chain.chain_id, policy=policy, shape=settings.chain_shape),
        what="read the shape of the chain",
    )
    log.info("chain.profile_read", shape=profile.shape.value)
    return profile


async def read_account(hub: HubClient, wallet: Wallet) -> None:
    """Log the wallet's account in the hub, and warn if it has no stake. An outage of the node is waited for."""
    account = await read_until_answered(
        lambda: hub.view_account(wallet.address), what="read the wallet's account in the hub"
    )
    log.info(
        "wallet.account_read", address=wallet.address, stake_nrlc=account.stake, locked_nrlc=account.locked
    )
    if account.stake == 0:
        log.warning(
            "wallet.stake_not_found",
            address=wallet.address,
            advice="deposit RLC in the hub, or tasks are refused",
        )


async def log_in(client: CoreClient, wallet: Wallet, pool: PoolConfiguration, chain: ChainConfig) -> str:
    """Log in to the scheduler and return the first bearer token."""
    try:
        return await _when_available(
            lambda: client.login(wallet, pool.workerpool, chain.chain_id), f"the scheduler at {client.url}"
        )
    except CoreRefused as refused:
        raise StartupError(refused.message) from refused


def open_workspace(settings: WorkerSettings, stack: AsyncExitStack, http_port: int = 0) -> DiskWorkspace:
    """Create and lock the worker's folder, and note there where its commands find this process."""
    workspace = DiskWorkspace(settings.folder)
    try:
        workspace.open()
        lock = take_lock(settings.folder, http_port)
    except OSError as problem:
        raise StartupError(
            f"the folder {settings.folder} cannot be used: {problem.strerror}; check IEXEC_WORKER_BASE_DIR"
        ) from problem
    if lock is None:
        raise StartupError(
            f"another worker uses the folder {settings.folder}; give this one another IEXEC_WORKER_NAME"
        )
    stack.callback(lock.close)
    chosen = "base_dir" in settings.model_fields_set
    place = place_finding(settings.base_dir.absolute(), chosen=chosen)
    if place is not None and not chosen:
        log.warning("workspace.found_volatile", problem=place.message, advice=place.next_step)
    return workspace


async def open_journal(journal: SqliteJournal, wallet: Wallet, settings: WorkerSettings) -> JournalSnapshot:
    """Open the journal. Fail if it holds replicates of another wallet, whose authorizations this one cannot use."""
    try:
        snapshot = await journal.open()
    except JournalUnusable as problem:
        raise StartupError(
            f"{problem.message}; repair the file, or remove it to give up its tasks"
        ) from problem
    try:
        owners = {parse_assignment(wire).authorization.worker for wire, _ in snapshot.replicates}
    except ValueError as problem:
        await journal.close()
        raise StartupError(f"the journal {journal.path} is damaged: {problem}; remove it") from problem
    if owners - {wallet.address}:
        await journal.close()
        raise StartupError(
            f"the folder {settings.folder} holds tasks of the wallet {', '.join(sorted(owners))}, not of "
            f"{wallet.address}; use that wallet or another IEXEC_WORKER_NAME, or remove the folder"
        )
    return snapshot


async def _when_available(ask: Callable[[], Awaitable[T]], what: str) -> T:
    """Call a service that may still be starting until it answers. A permanent refusal ends the start."""
    try:
        return await retry(ask, what=f"reach {what}", on=_is_transient, backoff=_BACKOFF)
    except grpc.aio.AioRpcError as error:
        raise StartupError(f"{what} refuses the call: {describe(error)}") from error


def _is_transient(error: Exception) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and not is_permanent(error)
