"""The start-up checks, in the documented order; each failure is one sentence that says what to do."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc
import structlog
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.process import StartupError
from workerpool_kit.targets import grpc_target_of
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import TransactionSender
from workerpool_poco.chain.wallet import Wallet, WalletError
from workerpool_poco.errors import CallReverted, ChainUnreachable, HubNotFound, RpcError, WrongChain
from workerpool_poco.protocol.ids import Address, address
from workerpool_protocol.registry.v1 import config_service_pb2
from workerpool_protocol.registry.v1.config_service_pb2_grpc import ConfigServiceStub

from workerpool_worker.adapters.core.client import (
    CoreClient,
    PoolConfiguration,
    describe,
    refused_for_good,
)
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.errors import CoreRefused, DockerUnavailable
from workerpool_worker.settings import WorkerSettings

T = TypeVar("T")
log = structlog.get_logger()

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_CALL_LIMIT_S = 10.0
_FEW_TRANSACTIONS = 10


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """Which chain the pool works on."""

    chain_id: int
    sidechain: bool
    node_url: str
    hub_address: Address
    block_time_s: float


async def read_configuration(client: CoreClient, settings: WorkerSettings, version: str) -> PoolConfiguration:
    """Read the pool's configuration, and refuse a pool that is not ours or that wants another version."""
    try:
        pool = await _when_up(client.configuration, f"the scheduler at {settings.core}")
    except CoreRefused as refused:
        raise StartupError(f"{refused.message}; check IEXEC_CORE_URL") from refused
    if pool.workerpool != settings.pool_address:
        raise StartupError(
            f"the scheduler at {settings.core} runs the workerpool {pool.workerpool}, not POOL_ADDRESS "
            f"{settings.pool_address}; correct POOL_ADDRESS or IEXEC_CORE_URL"
        )
    if pool.required_worker_version and pool.required_worker_version != version:
        raise StartupError(
            f"the scheduler wants worker version {pool.required_worker_version}, this is {version}; "
            f"install version {pool.required_worker_version}"
        )
    log.info("core.configuration", workerpool=pool.workerpool, scheduler_version=pool.scheduler_version)
    return pool


async def read_chain(pool: PoolConfiguration, settings: WorkerSettings) -> ChainConfig:
    """Ask the config server which chain to work on."""
    try:
        channel = open_channel(grpc_target_of(pool.config_server_url))
    except ValueError as problem:
        raise StartupError(f"the scheduler names an unusable config server: {problem}") from problem
    try:
        stub = ConfigServiceStub(channel)

        async def ask() -> config_service_pb2.GetChainResponse:
            return await stub.GetChain(config_service_pb2.GetChainRequest(), timeout=_CALL_LIMIT_S)

        chain = (await _when_up(ask, f"the config server at {pool.config_server_url}")).chain
    finally:
        await channel.close(None)
    return ChainConfig(
        chain.chain_id,
        chain.sidechain,
        settings.node_address or chain.node_url,
        address(chain.hub_address),
        chain.block_time.ToNanoseconds() / 1e9,
    )


async def open_wallet(settings: WorkerSettings) -> Wallet:
    """Open the key store."""
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
            f"{problem.message}; start Docker, or let this user reach its socket (or set DOCKER_HOST)"
        ) from problem
    log.info("docker.reached", version=version, memory_bytes=memory)
    return memory


async def check_chain(hub: HubClient, chain: ChainConfig, settings: WorkerSettings) -> None:
    """Reach the blockchain node, and find hub and workerpool there; waits a while for a node that is starting."""
    deadline = asyncio.get_running_loop().time() + settings.startup_limit_s
    pause = _FIRST_PAUSE_S
    while True:
        try:
            await hub.connect()
            await hub.workerpool_owner(settings.pool_address)
        except (WrongChain, HubNotFound) as problem:
            raise StartupError(f"{problem}; check the node's address and the config server") from problem
        except (CallReverted, ValueError) as problem:
            raise StartupError(
                f"there is no workerpool {settings.pool_address} on chain {chain.chain_id}"
            ) from problem
        except (ChainUnreachable, RpcError) as problem:
            if asyncio.get_running_loop().time() + pause > deadline:
                raise StartupError(
                    f"the blockchain node cannot be reached: {problem}; check it, or set "
                    "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS to another one"
                ) from problem
            log.warning("chain.not_up_yet", node=hub.rpc.node_url, error=str(problem), retry_in_s=pause)
        else:
            break
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)
    log.info("chain.reached", node=hub.rpc.node_url, chain_id=chain.chain_id, hub=chain.hub_address)


async def check_funds(hub: HubClient, sender: TransactionSender, wallet: Wallet, chain: ChainConfig) -> None:
    """Refuse a wallet that cannot pay a single transaction; warn about one that soon cannot, or that has no stake."""
    transactions = math.inf if chain.sidechain else await sender.affordable_transactions()
    if transactions < 1:
        raise StartupError(f"the wallet {wallet.address} cannot pay for a transaction; send it coins for gas")
    if transactions < _FEW_TRANSACTIONS:
        log.warning("wallet.nearly_dry", address=wallet.address, transactions=int(transactions))
    account = await hub.view_account(wallet.address)
    log.info("wallet.funds", address=wallet.address, stake_nrlc=account.stake, locked_nrlc=account.locked)
    if account.stake == 0:
        log.warning(
            "wallet.no_stake", address=wallet.address, advice="deposit RLC in the hub, or tasks are refused"
        )


async def log_in(client: CoreClient, wallet: Wallet, pool: PoolConfiguration, chain: ChainConfig) -> str:
    """Win the first bearer token."""
    try:
        return await _when_up(
            lambda: client.login(wallet, pool.workerpool, chain.chain_id), f"the scheduler at {client.url}"
        )
    except CoreRefused as refused:
        raise StartupError(refused.message) from refused


async def _when_up(ask: Callable[[], Awaitable[T]], what: str) -> T:
    """Ask a service that may still be starting until it answers; a refusal is final."""
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await ask()
        except grpc.aio.AioRpcError as error:
            if refused_for_good(error):
                raise StartupError(f"{what} refuses: {describe(error)}") from error
            log.warning("dependency.not_up_yet", what=what, error=describe(error), retry_in_s=round(pause, 1))
        await asyncio.sleep(pause * random.uniform(0.7, 1.0))
        pause = min(pause * 2, _LONGEST_PAUSE_S)
