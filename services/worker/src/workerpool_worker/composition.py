"""Composition root of the worker: builds every object and connects them."""

import asyncio
import platform
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack

from prometheus_client import REGISTRY
from workerpool_kit.dependencies.grpc_service import MovableService
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_kit.dependencies.volume import journal_waits
from workerpool_kit.dependencies.watch import start_watching, watch
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.logs import get_logger
from workerpool_kit.process import STOP_LIMIT_S, Lifetime, StartupError, version_of
from workerpool_kit.runtime.memory import reuse_large_buffers
from workerpool_kit.runtime.tasks import end_tasks
from workerpool_kit.runtime.threads import in_daemon_thread
from workerpool_kit.targets import grpc_port
from workerpool_poco.chain.wallet import Wallet

from workerpool_worker import dependencies, startup
from workerpool_worker.adapters.core.messages import parse_assignment
from workerpool_worker.adapters.core.session import CoreSession, HostModel
from workerpool_worker.adapters.docker.network.kinds import AppNetwork
from workerpool_worker.adapters.files.stop_intent import take_return_within
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.adapters.http_downloads.downloader import HttpDownloader
from workerpool_worker.adapters.measures import PrometheusMeasures
from workerpool_worker.adapters.results.grpc_result_store import GrpcResultStore
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.adapters.sqlite_transactions import SqliteTransactions
from workerpool_worker.adapters.stage_durations import StageDurations
from workerpool_worker.api.http_routes import routes
from workerpool_worker.app.departure import Departure
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.replicate_context import Policy, ReplicateContext
from workerpool_worker.app.steps import STEPS
from workerpool_worker.app.supervisor import Supervisor
from workerpool_worker.app_host import AppHost
from workerpool_worker.chain_access import open_chain
from workerpool_worker.container_host import (
    divide_host,
    find_gpus,
    open_engine,
    open_network,
    processor_count,
    runtime_of,
)
from workerpool_worker.domain.containers.engine_host import EngineHost
from workerpool_worker.domain.host import slot_count, slot_limits
from workerpool_worker.domain.host_guard import refusal_of
from workerpool_worker.errors import CoreRefused
from workerpool_worker.host_checks import watch_disks, watch_host
from workerpool_worker.metrics import follow_worker
from workerpool_worker.runtime_guard import watch_runtime
from workerpool_worker.settings import WorkerSettings

NAME = "workerpool-worker"
ABOUT = "runs the Docker apps that the scheduler of its workerpool assigns, and contributes their results on chain."
_MAX_OS_CHARACTERS = 128
_CLOCK_LIMIT_S = 5.0

log = get_logger()


async def serve(settings: WorkerSettings, lifetime: Lifetime) -> None:
    """Run the start-up checks, resume interrupted replicates, and work until stopped."""
    # Archives and log files move in pieces of 1 MiB: an upload takes a third of the processor time with it.
    reuse_large_buffers()
    version = version_of(type(settings))
    lifetime.stop_limit_s = STOP_LIMIT_S + settings.stop_finish_s
    drain = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, drain.set)
    async with AsyncExitStack() as stack:
        health, durations = Health(), StageDurations(settings.metrics_window)
        http_port = await _start_servers(settings, health, durations, version, stack)
        client = startup.open_core(settings)
        stack.push_async_callback(client.close)

        # The wallet needs a second of processor time, which the scheduler may need for its own start.
        wallet = await startup.open_wallet(settings)
        pool = await startup.read_configuration(client, settings, version)
        chain = await startup.read_chain(pool, settings)
        gpus = await find_gpus(settings)
        slots = slot_count(processor_count(settings), settings.cpu_count, gpu=bool(gpus))
        engine = open_engine(settings, wallet.address, slots)
        stack.callback(engine.close)
        docker = DependencyReport(health, dependencies.docker_dependency())
        memory_bytes = await startup.reach_docker(engine, docker)
        probing = watch(docker, lambda: dependencies.probe_docker(engine), every_s=dependencies.SLOW_PERIOD_S)
        start_watching(lifetime, stack, probing, "docker")
        workspace = startup.open_workspace(settings, stack, http_port)
        journal = SqliteJournal(
            settings.folder / "journal.db",
            on_failure=lifetime.fail,
            on_wait=journal_waits(health, "IEXEC_WORKER_BASE_DIR", settings.folder / "journal.db"),
        )
        snapshot = await startup.open_journal(journal, wallet, settings)
        stack.push_async_callback(journal.close)
        transactions = SqliteTransactions(journal.file, chain_id=chain.chain_id, wallet=wallet.address)
        await transactions.forget_old()
        access = await open_chain(settings, chain, wallet, transactions, health, lifetime, stack)
        token = await startup.log_in(client, wallet, pool, chain)
        networks = await stack.enter_async_context(AsyncExitStack())
        pool_urls = [settings.core, chain.node_url]

        async def prepare(host: EngineHost) -> AppNetwork:
            startup.check_runtime(host, settings.container_runtime)
            divide_host(engine, settings, host, slots, gpus)
            runtime = runtime_of(settings, host)
            return await open_network(settings, wallet.address, pool_urls, health, networks, runtime=runtime)

        held = frozenset(record.task_id for _, record in snapshot.replicates)
        app_host = AppHost(engine, prepare, docker, health, held)
        if await app_host.open_now():
            await remove_folders(workspace, held)
        else:
            opening = lifetime.spawn(app_host.open_later(), "app host")
            stack.push_async_callback(end_tasks, opening)
        watch_disks(settings, health, lifetime, stack)

        async def ask_clock() -> float | None:
            return (await client.configuration_and_clock(limit_s=_CLOCK_LIMIT_S))[1]

        await watch_host(settings, wallet.address, ask_clock, access.heads, health, lifetime, stack)
        runtime = watch_runtime(settings, wallet.address, engine, gpus, health, lifetime, stack)
        store, downloader = _open_transfers(settings, wallet, stack)
        context = ReplicateContext(
            wallet_address=wallet.address,
            policy=_policy(settings, slots, memory_bytes, gpus),
            clock=access.clock,
            chain=access.chain,
            engine=engine,
            store=store,
            downloader=downloader,
            workspace=workspace,
            journal=journal,
            outbox=Outbox(snapshot.last_sequence, snapshot.updates),
            timings=durations,
            measures=PrometheusMeasures(),
            runtime=runtime,
            result_proxy_url=pool.result_proxy_url,
        )
        _watch_proxy(context, health, lifetime, stack)
        progress = dependencies.tell_progress(
            engine.images.pulls, lambda: list(context.waiting_uploads.values()), health
        )
        telling = lifetime.spawn(progress, "progress")
        stack.push_async_callback(end_tasks, telling)
        sweeping = lifetime.spawn(engine.images.sweep_forever(), "image-cache")
        stack.push_async_callback(end_tasks, sweeping)
        supervisor = Supervisor(context, STEPS, parse=parse_assignment, on_crash=lifetime.fail)
        stack.push_async_callback(supervisor.stop)
        follow_worker(supervisor, context, len(gpus))
        supervisor.resume(snapshot)

        async def login() -> str:
            return await client.login(wallet, settings.pool_address, chain.chain_id)

        model = _host_model(settings, version, slots, memory_bytes, gpus)
        refusals: list[Callable[[], str]] = [lambda: access.funds.problem, lambda: host_refusal(health)]
        session = CoreSession(
            client,
            login,
            supervisor,
            context,
            model,
            health,
            heads=access.heads,
            refusal=lambda: next(filter(None, (ask() for ask in refusals)), ""),
        )
        health.on_change(session.availability_changed)
        departure = Departure(
            supervisor,
            session,
            finish_s=settings.stop_finish_s,
            return_within_s=lambda: take_return_within(settings.folder, settings.return_within_s),
            stop=lifetime.stop,
        )
        refusals.insert(0, lambda: departure.refusal)
        connected = lifetime.spawn(_keep_connected(session, token, lifetime), "core-session")
        # The session ends before its channel is closed.
        stack.push_async_callback(end_tasks, connected)
        lifetime.spawn(departure.drain_when(drain), "drain")
        log.info("worker.started", wallet=wallet.address, slots=slots, resumed=len(snapshot.replicates))
        await lifetime.stopped()
        if lifetime.failure is None:
            await departure.leave()


def host_refusal(health: Health) -> str:
    """Return why this host cannot take work now, by its own health; empty while it can."""
    return refusal_of(health.snapshot()["components"])


async def _keep_connected(session: CoreSession, token: str, lifetime: Lifetime) -> None:
    try:
        await session.run(token)
    except CoreRefused as refused:
        lifetime.fail(StartupError(refused.message))


def _watch_proxy(
    context: ReplicateContext, health: Health, lifetime: Lifetime, stack: AsyncExitStack
) -> None:
    report = DependencyReport(health, dependencies.proxy_dependency(context.result_proxy_url))
    probe = MovableService(
        lambda: context.result_proxy_url,
        dependencies.PROXY_SERVICE,
        "result proxy",
        report,
        also=dependencies.check_proxy_name,
    )
    stack.push_async_callback(probe.close)
    period_s = dependencies.SLOW_PERIOD_S
    start_watching(lifetime, stack, watch(report, probe.probe, every_s=period_s), "proxy")


async def _start_servers(
    settings: WorkerSettings, health: Health, durations: StageDurations, version: str, stack: AsyncExitStack
) -> int:
    """Start the ports, and return that of HTTP."""
    DependencyReport(health, dependencies.core_dependency(settings))
    http = HttpServer(
        settings.port,
        host=settings.http_bind,
        health=health,
        version=version,
        routes=routes(durations.snapshot),
        proxies=settings.trusted_proxies,
    )
    await http.start()
    stack.push_async_callback(http.stop)
    diagnostics = GrpcServer(grpc_port(settings.port, settings.grpc_port), host=settings.grpc_bind, policy={})
    await diagnostics.start()
    http.tell_grpc(diagnostics.port, settings.grpc_public_target)
    stack.push_async_callback(diagnostics.stop)
    diagnostics.follow(health)
    REGISTRY.register(durations)
    stack.callback(REGISTRY.unregister, durations)
    return http.port


def _open_transfers(
    settings: WorkerSettings, wallet: Wallet, stack: AsyncExitStack
) -> tuple[GrpcResultStore, HttpDownloader]:
    store = GrpcResultStore(wallet.sign_message_hash)
    stack.push_async_callback(store.close)
    downloader = HttpDownloader(
        settings.downloads, reference_urls=settings.download_reference_urls or settings.ipfs_gateways
    )
    stack.push_async_callback(downloader.close)
    return store, downloader


async def remove_folders(workspace: DiskWorkspace, held: frozenset[str]) -> None:
    """Remove the folders of replicates but those of the tasks `held`. Their containers are gone already."""
    try:
        folders = await in_daemon_thread(lambda: workspace.remove_others(held), name="leftovers")
    except OSError as problem:
        log.warning("leftovers.removal_failed", error=str(problem))
        return
    if folders:
        log.info("leftovers.removed", folders=len(folders))


def _policy(settings: WorkerSettings, slots: int, memory_bytes: int, gpus: tuple[str, ...]) -> Policy:
    return Policy(
        name=settings.name,
        slots=slots,
        limits=slot_limits(slots, memory_bytes, settings.slot_memory_mib << 20),
        pull_min_s=settings.pull_min_s,
        pull_max_s=settings.pull_max_s,
        downloads=settings.downloads,
        ipfs_gateways=settings.ipfs_gateways,
        post_compute_limit_s=settings.post_compute_limit_s,
        log_app_output=settings.developer_logger,
        gpus_per_task=settings.gpus_per_task if gpus else 0,
    )


def _host_model(
    settings: WorkerSettings, version: str, slots: int, memory_bytes: int, gpus: tuple[str, ...]
) -> HostModel:
    return HostModel(
        name=settings.name,
        version=version,
        os=f"{platform.system()} {platform.release()}"[:_MAX_OS_CHARACTERS],
        cpu=platform.machine(),
        slots=slots,
        memory_bytes=memory_bytes,
        gpus=len(gpus),
    )
