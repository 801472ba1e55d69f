"""Composition root of the worker: builds every object and connects them."""

import asyncio
import os
import platform
from contextlib import AsyncExitStack

from prometheus_client import REGISTRY
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.clock import SystemClock
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.logs import get_logger
from workerpool_kit.metrics import build_info
from workerpool_kit.process import Lifetime, StartupError, version_of
from workerpool_kit.targets import grpc_port
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import TransactionSender
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import address

from workerpool_worker import startup
from workerpool_worker.adapters.chain.wallet_chain import WalletChain
from workerpool_worker.adapters.core.messages import parse_assignment
from workerpool_worker.adapters.core.session import CoreSession, HostModel
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.adapters.grpc_result_store import GrpcResultStore
from workerpool_worker.adapters.http_downloads import HttpDownloader
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.adapters.stage_durations import StageDurations
from workerpool_worker.api.http_routes import routes
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.ports import JournalSnapshot
from workerpool_worker.app.replicate_context import Policy, ReplicateContext
from workerpool_worker.app.steps import STEPS
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.domain.host import slot_count, slot_limits
from workerpool_worker.errors import CoreRefused, DockerUnavailable
from workerpool_worker.metrics import follow_worker
from workerpool_worker.settings import WorkerSettings

NAME = "workerpool-worker"
_MAX_OS_CHARACTERS = 128

log = get_logger()


async def serve(settings: WorkerSettings, lifetime: Lifetime) -> None:
    """Run the start-up checks, resume interrupted replicates, and work until stopped."""
    version = version_of(type(settings))
    async with AsyncExitStack() as stack:
        health, durations = Health(), StageDurations(settings.metrics_window)
        await _start_servers(settings, health, durations, version, stack)
        client = startup.open_core(settings)
        stack.push_async_callback(client.close)

        # The wallet needs a second of processor time, which the scheduler may need for its own start.
        wallet = await startup.open_wallet(settings)
        pool = await startup.read_configuration(client, settings, version)
        chain = await startup.read_chain(pool, settings)
        slots = slot_count(os.cpu_count() or 1, settings.cpu_count, gpu=settings.gpu_enabled)
        engine = DockerEngine(wallet.address, registries=settings.registries, concurrency=slots)
        stack.callback(engine.close)
        memory_bytes = await startup.check_docker(engine)
        health.set("docker", True)
        wallet_chain = await _open_chain(settings, chain, wallet, health, stack)
        token = await startup.log_in(client, wallet, pool, chain)

        workspace = startup.open_workspace(settings, stack)
        journal = SqliteJournal(settings.folder / "journal.db", on_failure=lifetime.fail)
        snapshot = await startup.open_journal(journal, wallet, settings)
        stack.push_async_callback(journal.close)
        store, downloader = _open_transfers(settings, wallet, stack)
        context = ReplicateContext(
            wallet_address=wallet.address,
            policy=_policy(settings, slots, memory_bytes),
            clock=SystemClock(),
            chain=wallet_chain,
            engine=engine,
            store=store,
            downloader=downloader,
            workspace=workspace,
            journal=journal,
            outbox=Outbox(snapshot.last_sequence, snapshot.updates),
            timings=durations,
            result_proxy_url=pool.result_proxy_url,
        )
        await _remove_leftovers(engine, workspace, snapshot)
        supervisor = Supervisor(context, STEPS, parse=parse_assignment, on_crash=lifetime.fail)
        stack.push_async_callback(supervisor.stop)
        follow_worker(supervisor, context)
        supervisor.resume(snapshot)

        async def login() -> str:
            return await client.login(wallet, settings.pool_address, chain.chain_id)

        model = _host_model(settings, version, slots, memory_bytes)
        session = CoreSession(client, login, supervisor, context, model, health)
        connected = lifetime.spawn(_keep_connected(session, token, lifetime), "core-session")
        # The session ends before its channel is closed.
        stack.push_async_callback(_cancel, connected)
        log.info("worker.started", wallet=wallet.address, slots=slots, resumed=len(snapshot.replicates))
        await lifetime.stopped()


async def _keep_connected(session: CoreSession, token: str, lifetime: Lifetime) -> None:
    try:
        await session.run(token)
    except CoreRefused as refused:
        lifetime.fail(StartupError(refused.message))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def _start_servers(
    settings: WorkerSettings, health: Health, durations: StageDurations, version: str, stack: AsyncExitStack
) -> None:
    health.set("core", False, url=settings.core)
    http = HttpServer(settings.port, health=health, version=version, routes=routes(durations.snapshot))
    await http.start()
    stack.push_async_callback(http.stop)
    diagnostics = GrpcServer(grpc_port(settings.port, settings.grpc_port), policy={})
    await diagnostics.start()
    stack.push_async_callback(diagnostics.stop)
    diagnostics.follow(health)
    build_info(NAME, version)
    REGISTRY.register(durations)
    stack.callback(REGISTRY.unregister, durations)


async def _open_chain(
    settings: WorkerSettings,
    chain: ChainConfig,
    wallet: Wallet,
    health: Health,
    stack: AsyncExitStack,
) -> WalletChain:
    hub = HubClient(chain.node_url, address(chain.hub_address), chain_id=chain.chain_id)
    stack.push_async_callback(hub.close)
    await startup.check_chain(hub, chain, settings)
    heads = HeadStream(
        chain.node_url,
        block_time=chain.block_time_s,
        on_outage=lambda error: health.set("chain", False, error=str(error)),
        on_return=lambda: health.set("chain", True),
    )
    heads.start()
    stack.push_async_callback(heads.stop)
    sender = TransactionSender(
        hub,
        wallet,
        gas_price_multiplier=settings.gas_price_multiplier,
        gas_price_cap=0 if chain.sidechain else settings.gas_price_cap,
        heads=heads,
    )
    stack.push_async_callback(sender.close)
    await startup.check_funds(hub, sender, wallet, chain)
    health.set("chain", True)
    wallet_chain = WalletChain(hub, heads, sender, wallet, settings.pool_address)
    stack.push_async_callback(wallet_chain.close)
    return wallet_chain


def _open_transfers(
    settings: WorkerSettings, wallet: Wallet, stack: AsyncExitStack
) -> tuple[GrpcResultStore, HttpDownloader]:
    store = GrpcResultStore(wallet.sign_message_hash)
    stack.push_async_callback(store.close)
    downloader = HttpDownloader(settings.download_limit_bytes)
    stack.push_async_callback(downloader.close)
    return store, downloader


async def _remove_leftovers(
    engine: DockerEngine, workspace: DiskWorkspace, snapshot: JournalSnapshot
) -> None:
    """Remove containers and folders of replicates that the journal does not hold."""
    held = frozenset(record.task_id for _, record in snapshot.replicates)
    try:
        containers = await engine.remove_others(held)
        folders = workspace.remove_others(held)
    except (DockerUnavailable, OSError) as problem:
        log.warning("leftovers.removal_failed", error=str(problem))
        return
    if containers or folders:
        log.info("leftovers.removed", containers=len(containers), folders=len(folders))


def _policy(settings: WorkerSettings, slots: int, memory_bytes: int) -> Policy:
    return Policy(
        name=settings.name,
        slots=slots,
        limits=slot_limits(slots, memory_bytes),
        pull_min_s=settings.pull_min_s,
        pull_max_s=settings.pull_max_s,
        download_limit_s=settings.download_limit_s,
        ipfs_gateways=settings.ipfs_gateways,
        log_app_output=settings.developer_logger,
    )


def _host_model(settings: WorkerSettings, version: str, slots: int, memory_bytes: int) -> HostModel:
    return HostModel(
        name=settings.name,
        version=version,
        os=f"{platform.system()} {platform.release()}"[:_MAX_OS_CHARACTERS],
        cpu=platform.machine(),
        slots=slots,
        memory_bytes=memory_bytes,
        gpus=int(settings.gpu_enabled),
    )
