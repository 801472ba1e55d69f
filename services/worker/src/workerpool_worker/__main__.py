"""Wiring of the worker: ``poolworker``, or ``python -m workerpool_worker``."""

import asyncio
import fcntl
import os
import platform
from contextlib import AsyncExitStack
from io import TextIOWrapper
from typing import NoReturn

import structlog
from prometheus_client import REGISTRY
from workerpool_kit.clock import SystemClock
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.metrics import build_info
from workerpool_kit.process import Lifetime, StartupError, run_service, version_of
from workerpool_kit.targets import grpc_port
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import TransactionSender
from workerpool_poco.chain.wallet import Wallet

from workerpool_worker import startup
from workerpool_worker.adapters.chain.wallet_chain import WalletChain
from workerpool_worker.adapters.core.client import CoreClient
from workerpool_worker.adapters.core.messages import parse_assignment
from workerpool_worker.adapters.core.session import CoreSession, HostModel
from workerpool_worker.adapters.docker.engine import DockerEngine
from workerpool_worker.adapters.files.workspace import Workspace
from workerpool_worker.adapters.grpc_result_store import GrpcResultStore
from workerpool_worker.adapters.http_downloads import HttpDownloader
from workerpool_worker.adapters.sqlite_journal import Journal, Kept
from workerpool_worker.adapters.stage_durations import Durations
from workerpool_worker.api.http_routes import routes
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.replicate_context import Office, Policy
from workerpool_worker.app.steps import STEPS
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.domain.host import slot_limits, slots
from workerpool_worker.errors import CoreRefused, DockerUnavailable, JournalUnusable
from workerpool_worker.metrics import follow_worker
from workerpool_worker.settings import WorkerSettings

NAME = "workerpool-worker"
ABOUT = "runs the Docker apps that its workerpool's scheduler sends, and brings their results to the chain."

log = structlog.get_logger()


async def serve(settings: WorkerSettings, lifetime: Lifetime) -> None:
    """Check everything in the documented order, take up what was interrupted, work until the process is to stop."""
    version = version_of(type(settings))
    async with AsyncExitStack() as stack:
        health, durations = Health(), Durations(settings.metrics_window)
        await _open_side_ports(settings, health, durations, version, stack)
        client = _open_core(settings)
        stack.push_async_callback(client.close)

        pool = await startup.read_configuration(client, settings, version)
        chain = await startup.read_chain(pool, settings)
        wallet = await startup.open_wallet(settings)
        slot_count = slots(os.cpu_count() or 1, settings.cpu_count, settings.gpu_enabled)
        engine = DockerEngine(wallet.address, registries=settings.registries, concurrency=slot_count)
        stack.callback(engine.close)
        memory_bytes = await startup.check_docker(engine)
        health.set("docker", True)
        hub, heads, sender = await _open_chain(settings, chain, wallet, health, stack)
        token = await startup.log_in(client, wallet, pool, chain)

        workspace = _open_workspace(settings, stack)
        journal, kept = await _open_journal(settings, lifetime, stack)
        store, downloader = (
            GrpcResultStore(wallet.sign_message_hash),
            HttpDownloader(settings.download_limit_bytes),
        )
        stack.push_async_callback(store.close)
        stack.push_async_callback(downloader.close)

        wallet_chain = WalletChain(hub, heads, sender, wallet, settings.pool_address)
        stack.push_async_callback(wallet_chain.close)
        office = Office(
            wallet_address=wallet.address,
            policy=_policy(settings, slot_count, memory_bytes),
            clock=SystemClock(),
            chain=wallet_chain,
            engine=engine,
            store=store,
            downloader=downloader,
            workspace=workspace,
            journal=journal,
            outbox=Outbox(kept.last_sequence, kept.updates),
            durations=durations,
            result_proxy_url=pool.result_proxy_url,
        )
        _check_owner(kept, wallet, settings)
        await _purge(engine, workspace, kept)
        supervisor = Supervisor(office, STEPS, parse=parse_assignment, on_crash=lifetime.fail)
        stack.push_async_callback(supervisor.stop)
        follow_worker(supervisor, office)
        supervisor.resume(kept)

        model = HostModel(
            name=settings.name,
            version=version,
            os=f"{platform.system()} {platform.release()}"[:128],
            cpu=platform.machine(),
            slots=slot_count,
            memory_bytes=memory_bytes,
            gpus=int(settings.gpu_enabled),
        )

        async def login() -> str:
            return await client.login(wallet, settings.pool_address, chain.chain_id)

        session = CoreSession(client, login, supervisor, office, model, health)
        connected = lifetime.spawn(_keep_connected(session, token, lifetime), "core-session")
        # It ends before what it stands on is closed: else its calls would find their channel gone.
        stack.push_async_callback(_end, connected)
        log.info("worker.ready", wallet=wallet.address, slots=slot_count, resumed=len(kept.replicates))
        await lifetime.stopped()


async def _keep_connected(session: CoreSession, token: str, lifetime: Lifetime) -> None:
    try:
        await session.run(token)
    except CoreRefused as refused:
        lifetime.fail(StartupError(refused.message))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def _open_side_ports(
    settings: WorkerSettings, health: Health, durations: Durations, version: str, stack: AsyncExitStack
) -> None:
    health.set("core", False, url=settings.core)
    http = HttpServer(settings.port, health=health, version=version, routes=routes(durations))
    await http.start()
    stack.push_async_callback(http.stop)
    diagnostics = GrpcServer(grpc_port(settings.port, settings.grpc_port), policy={})
    await diagnostics.start()
    stack.push_async_callback(diagnostics.stop)
    diagnostics.follow(health)
    build_info(NAME, version)
    REGISTRY.register(durations)
    stack.callback(REGISTRY.unregister, durations)


def _open_core(settings: WorkerSettings) -> CoreClient:
    try:
        return CoreClient(settings.core)
    except ValueError as problem:
        raise StartupError(f"IEXEC_CORE_URL: {problem}") from problem


async def _open_chain(
    settings: WorkerSettings,
    chain: startup.ChainConfig,
    wallet: Wallet,
    health: Health,
    stack: AsyncExitStack,
) -> tuple[HubClient, HeadStream, TransactionSender]:
    hub = HubClient(chain.node_url, chain.hub_address, chain_id=chain.chain_id)
    stack.push_async_callback(hub.close)
    await startup.check_chain(hub, chain, settings)
    heads = HeadStream(
        chain.node_url,
        block_time=chain.block_time_s or 1.0,
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
    return hub, heads, sender


def _open_workspace(settings: WorkerSettings, stack: AsyncExitStack) -> Workspace:
    """Open the worker's folder and lock it: two workers in one folder would ruin each other's work."""
    workspace = Workspace(settings.folder)
    try:
        workspace.open()
        lock: TextIOWrapper = (settings.folder / "lock").open("w")
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


async def _open_journal(
    settings: WorkerSettings, lifetime: Lifetime, stack: AsyncExitStack
) -> tuple[Journal, Kept]:
    journal = Journal(settings.folder / "journal.db", on_failure=lifetime.fail)
    try:
        kept = await journal.open()
    except JournalUnusable as problem:
        raise StartupError(
            f"{problem.message}; repair the file, or remove it to give up the tasks in it"
        ) from problem
    stack.push_async_callback(journal.close)
    return journal, kept


def _check_owner(kept: Kept, wallet: Wallet, settings: WorkerSettings) -> None:
    """Refuse to go on with another wallet's replicates: their authorizations are worthless to this one."""
    try:
        owners = {parse_assignment(wire).authorization.worker for wire, _ in kept.replicates}
    except ValueError as problem:
        raise StartupError(f"the journal in {settings.folder} is damaged: {problem}; remove it") from problem
    if owners - {wallet.address}:
        raise StartupError(
            f"the folder {settings.folder} holds tasks of the wallet {', '.join(sorted(owners))}, not of "
            f"{wallet.address}; use that wallet, another IEXEC_WORKER_NAME, or remove the folder"
        )


async def _purge(engine: DockerEngine, workspace: Workspace, kept: Kept) -> None:
    """Remove what is left of replicates that the journal does not know."""
    held = frozenset(record.task_id for _, record in kept.replicates)
    try:
        containers = await engine.remove_others(held)
        folders = workspace.remove_others(held)
    except (DockerUnavailable, OSError) as problem:
        log.warning("leftovers.not_removed", error=str(problem))
        return
    if containers or folders:
        log.info("leftovers.removed", containers=len(containers), folders=len(folders))


def _policy(settings: WorkerSettings, slot_count: int, memory_bytes: int) -> Policy:
    return Policy(
        name=settings.name,
        slots=slot_count,
        limits=slot_limits(slot_count, memory_bytes),
        pull_min_s=settings.pull_min_s,
        pull_max_s=settings.pull_max_s,
        download_limit_s=settings.download_limit_s,
        ipfs_gateways=settings.ipfs_gateways,
        show_app_output=settings.developer_logger,
    )


def main() -> NoReturn:
    """Run the worker."""
    run_service(WorkerSettings, serve, name=NAME, about=ABOUT)


if __name__ == "__main__":
    main()
