"""The start-up checks. Each failure is one sentence that names the remedy."""

import asyncio
import fcntl
import math
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TypeVar

import grpc
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import read_chain_config
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.retry import Backoff, retry
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import TransactionSender
from workerpool_poco.chain.wallet import Wallet, WalletError
from workerpool_poco.errors import CallReverted, ChainUnreachable, HubNotFound, RpcError, WrongChain

from workerpool_worker.adapters.core.client import CoreClient, PoolConfiguration, describe, is_permanent
from workerpool_worker.adapters.core.messages import parse_assignment
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.app.ports import JournalSnapshot
from workerpool_worker.errors import CoreRefused, DockerUnavailable, JournalUnusable
from workerpool_worker.settings import WorkerSettings

T = TypeVar("T")
log = get_logger()

_BACKOFF = Backoff(first_s=0.1, longest_s=1.0)
_FEW_TRANSACTIONS = 10


def open_core(settings: WorkerSettings) -> CoreClient:
    """Open the channel to the scheduler, without connecting."""
    try:
        return CoreClient(settings.core)
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
    log.info("core.configuration_read", workerpool=pool.workerpool, scheduler_version=pool.scheduler_version)
    return pool


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


async def check_docker(engine: DockerEngine) -> int:
    """Reach the Docker engine and return the memory of its host in bytes."""
    try:
        version = await engine.version()
        memory = await engine.memory_bytes()
    except DockerUnavailable as problem:
        raise StartupError(
            f"{problem.message}; start Docker, give this user access to its socket, or set DOCKER_HOST"
        ) from problem
    log.info("docker.connected", version=version, memory_bytes=memory)
    return memory


async def check_chain(hub: HubClient, chain: ChainConfig, settings: WorkerSettings) -> None:
    """Reach the blockchain node within the start-up limit, and find the hub and the workerpool there."""

    async def connect() -> None:
        await hub.connect()
        await hub.workerpool_owner(settings.pool_address)

    try:
        await retry(
            connect,
            what="connect to the blockchain node",
            on=(ChainUnreachable, RpcError),
            backoff=_BACKOFF,
            timeout_s=settings.startup_limit_s,
            node=hub.rpc.node_url,
        )
    except (WrongChain, HubNotFound) as problem:
        raise StartupError(f"{problem}; check the node's address and the config server") from problem
    except (CallReverted, ValueError) as problem:
        raise StartupError(
            f"there is no workerpool {settings.pool_address} on chain {chain.chain_id}; check POOL_ADDRESS"
        ) from problem
    except (ChainUnreachable, RpcError) as problem:
        raise StartupError(
            f"the blockchain node cannot be reached: {problem}; check it, or set "
            "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS to another node"
        ) from problem
    log.info("chain.connected", node=hub.rpc.node_url, chain_id=chain.chain_id, hub=chain.hub_address)


async def check_funds(hub: HubClient, sender: TransactionSender, wallet: Wallet, chain: ChainConfig) -> None:
    """Fail if the wallet cannot pay one transaction. Warn if it can pay fewer than ten, or has no stake."""
    transactions = math.inf if chain.sidechain else await sender.affordable_transactions()
    if transactions < 1:
        raise StartupError(f"the wallet {wallet.address} cannot pay for a transaction; send it coins for gas")
    if transactions < _FEW_TRANSACTIONS:
        log.warning("wallet.balance_low", address=wallet.address, transactions=int(transactions))
    account = await hub.view_account(wallet.address)
    log.info(
        "wallet.account_read", address=wallet.address, stake_nrlc=account.stake, locked_nrlc=account.locked
    )
    if account.stake == 0:
        log.warning(
            "wallet.stake_missing",
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


def open_workspace(settings: WorkerSettings, stack: AsyncExitStack) -> DiskWorkspace:
    """Create and lock the worker's folder. Two workers in one folder would overwrite each other's files."""
    workspace = DiskWorkspace(settings.folder)
    try:
        workspace.open()
        lock = (settings.folder / "lock").open("w")
    except OSError as problem:
        raise StartupError(
            f"the folder {settings.folder} cannot be used: {problem.strerror}; check IEXEC_WORKER_BASE_DIR"
        ) from problem
    stack.callback(lock.close)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StartupError(
            f"another worker uses the folder {settings.folder}; give this one another IEXEC_WORKER_NAME"
        ) from None
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
