"""The composition root: what the scheduler is made of, in the order in which it comes up and goes down."""

import asyncio
from contextlib import AsyncExitStack
from random import Random
from typing import Any

from eth_utils.crypto import keccak
from prometheus_client import REGISTRY
from starlette.middleware.cors import CORSMiddleware
from workerpool_kit import metrics as kit_metrics
from workerpool_kit.access.authenticators import (
    AnyOf,
    Authenticator,
    BasicAuthenticator,
    BearerAuthenticator,
)
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import Clock, SystemClock
from workerpool_kit.grpc.client import open_channel
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo import Database
from workerpool_kit.process import Lifetime, StartupError, version_of
from workerpool_kit.targets import grpc_port, grpc_target_of
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import GAS_PER_TRANSACTION
from workerpool_poco.chain.wallet import Wallet
from workerpool_protocol.core.v1.pool_service_pb2_grpc import add_PoolServiceServicer_to_server
from workerpool_protocol.core.v1.task_service_pb2_grpc import add_TaskServiceServicer_to_server
from workerpool_protocol.core.v1.worker_service_pb2_grpc import add_WorkerServiceServicer_to_server

from workerpool_core import startup
from workerpool_core.adapters.grpc.chain_adapter import ChainAdapterClient
from workerpool_core.adapters.grpc.result_proxy import ResultProxyClient
from workerpool_core.adapters.grpc.sms import SmsClient
from workerpool_core.adapters.mongo.changes import Change
from workerpool_core.adapters.mongo.documents import MODELS
from workerpool_core.adapters.mongo.keys import StoredKeys
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.api import http_side, pool_service, task_service, worker_service
from workerpool_core.app.chain.chain_follower import ChainFollower, Position
from workerpool_core.app.chain.chain_health import ChainHealth
from workerpool_core.app.chain.chain_reads import TaskReads, Weights
from workerpool_core.app.chain.deals import DealReader
from workerpool_core.app.engine.effects import Effects
from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.engine.group_commit import GroupCommit
from workerpool_core.app.maintenance.database_health import watch_database
from workerpool_core.app.maintenance.garbage_collection import freeze_live_tasks
from workerpool_core.app.maintenance.log_purge import purge_logs_daily
from workerpool_core.app.observability.metrics import Observer, PoolCollector
from workerpool_core.app.observability.progress_log import log_progress
from workerpool_core.app.ports import Cursor
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.log_access import LogAccess
from workerpool_core.app.queries.pool_view import PoolView
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.app.running import Core, PublicConfiguration, RunningCore
from workerpool_core.app.workers.assignments import Assignments
from workerpool_core.app.workers.heartbeats import Heartbeats
from workerpool_core.app.workers.login import Login
from workerpool_core.app.workers.messages import ShutDown
from workerpool_core.app.workers.sessions import Sessions
from workerpool_core.domain.decisions import Outcome
from workerpool_core.domain.events import Event
from workerpool_core.domain.policy import Policy, proof_timeout
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.settings import CoreSettings

log = get_logger()

_KEY_ROTATION_S = 30 * 86_400.0
_LOOK_AT_CHAIN_S = 0.5
_RECONNECT_S = 1.0


async def serve(settings: CoreSettings, lifetime: Lifetime) -> None:
    """Bring the scheduler up, work until the process is asked to stop, take it down."""
    version = version_of(CoreSettings)
    kit_metrics.build_info("core", version)
    for variable, reason in settings.without_effect().items():
        log.warning("settings.without_effect", variable=variable, reason=reason)
    async with AsyncExitStack() as stack:
        wallet = await startup.open_wallet(settings.wallet_path, settings.wallet_password.get_secret_value())
        database = await Database.connect(settings, models=MODELS)
        stack.push_async_callback(database.close)
        health, core, clock = Health(), Core(), SystemClock()
        tokens = Tokens(
            StoredKeys(database),
            issuer="workerpool-core",
            audience=settings.pool_address,
            lifetime_s=settings.token_lifetime_s,
            rotate_after_s=_KEY_ROTATION_S,
            clock=clock,
        )
        await _start_servers(stack, settings, core, health, tokens, version)
        await _start_core(stack, settings, lifetime, core, health, tokens, wallet, database, version)
        await lifetime.stopped()
        if (running := core.maybe_running) is not None:
            # Workers keep what they hold and come back; the successor learns it from their Hello.
            running.sessions.end_all(
                ShutDown("SCHEDULER_STOPPING", "the scheduler stops; connect again soon", _RECONNECT_S)
            )


async def _start_servers(
    stack: AsyncExitStack, settings: CoreSettings, core: Core, health: Health, tokens: Tokens, version: str
) -> None:
    """Open both ports; until the start is complete they answer what it waits for."""
    health.set("scheduler", False, reason="starting")
    authenticators: list[Authenticator] = [BearerAuthenticator(tokens.verify)]
    operator_configured = settings.operator_password is not None
    if settings.operator_password is not None:
        authenticators.append(
            BasicAuthenticator(
                settings.operator_username, settings.operator_password, pool_service.OPERATOR_ROLE
            )
        )
    server = GrpcServer(
        grpc_port(settings.http_port, settings.grpc_port),
        authenticator=AnyOf(*authenticators),
        policy=worker_service.POLICY
        | task_service.POLICY
        | pool_service.policy(operator_configured=operator_configured),
    )
    server.add(add_WorkerServiceServicer_to_server, worker_service.WorkerServicer(core), worker_service.NAME)
    server.add(add_TaskServiceServicer_to_server, task_service.TaskServicer(core), task_service.NAME)
    server.add(
        add_PoolServiceServicer_to_server,
        pool_service.PoolServicer(core, operator_configured=operator_configured),
        pool_service.NAME,
    )
    server.follow(health)
    http = HttpServer(
        settings.http_port,
        health=health,
        version=version,
        routes=http_side.routes(core, open_actuator=settings.actuator_open),
    )
    # Requesters' tools run in browsers too.
    http.app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"], allow_headers=["*"])
    await http.start()
    stack.push_async_callback(http.stop)
    await server.start()
    stack.push_async_callback(server.stop)


async def _start_core(
    stack: AsyncExitStack,
    settings: CoreSettings,
    lifetime: Lifetime,
    core: Core,
    health: Health,
    tokens: Tokens,
    wallet: Wallet,
    database: Database,
    version: str,
) -> None:
    """Wait for the chain, load what is stored, and let the scheduler take up its work."""
    clock, pool = SystemClock(), settings.pool_address
    chain, hub = await _reach_chain(stack, settings, core, wallet)

    core.waits_for("its database")
    store = Store(database)
    newest = await store.recover()
    cursor = await store.cursor()
    policy = Policy(
        proof_timeout_s=proof_timeout(chain.block_time_s),
        slot_memory_bytes=settings.slot_memory_mib * 2**20,
        required_worker_version=settings.required_worker_version,
    )
    scheduler = Scheduler(policy, Random(), await store.snapshot(policy, clock.now()))

    observer: Observer
    live_logs = LiveLogs(scheduler.tasks)

    def observe(event: Event, outcome: Outcome, now: float) -> None:
        observer.observe(event, outcome, now)
        live_logs.settle(outcome)
        log_progress(event, outcome, now)

    engine = Engine(scheduler, clock, observe=observe, crashed=lifetime.fail)
    stack.callback(engine.stop)
    sessions, watchers = Sessions(), Watchers()
    reads, weights = _reads(settings, chain, hub, engine)
    effects = Effects(
        sessions=sessions,
        assignments=Assignments(wallet, engine.tasks),
        transactions=_adapter(stack, settings, engine),
        reads=reads,
        weights=weights,
        results=_results(stack, settings, engine),
        enclaves=_enclaves(stack, settings, wallet, engine),
        moved=watchers.moved,
        assigned=lambda task_id, worker: observer.assigned(task_id, worker, clock.now()),
    )
    in_background = [lifetime.spawn(reads.run(), "chain reads"), lifetime.spawn(weights.run(), "weights")]
    stack.push_async_callback(_cancel, in_background)
    commit = GroupCommit(store, newest, effects.perform, effects.prepare)

    chain_health, heads = _heads(settings, chain, health, clock, engine)
    follower = _follower(settings, hub, heads, engine, cursor, await store.latest_deal_block())
    view = PoolView(engine, follower, heads, clock, pool, await store.status_counts())
    observer = Observer(engine.tasks, task_ended=view.task_ended, deal_taken=view.deal_taken)
    collector = PoolCollector(view.summary, version)
    REGISTRY.register(collector)
    stack.callback(REGISTRY.unregister, collector)

    freeze_live_tasks()
    in_background += commit.start(lifetime)
    engine.start(commit)
    heads.start()
    stack.push_async_callback(heads.stop)
    keep_days = settings.logs_availability_days
    purge = purge_logs_daily(store, clock, every_days=settings.logs_purge_rate_days, keep_days=keep_days)
    in_background += [
        lifetime.spawn(follower.run(), "chain follower"),
        lifetime.spawn(_watch_chain(chain_health, heads), "chain health"),
        lifetime.spawn(watch_database(store, health), "database health"),
        lifetime.spawn(engine.reconcile(settings.reveal_timeout_period_ms / 1000), "reconciler"),
        lifetime.spawn(purge, "log purge"),
    ]
    # Work decided before the stop is made durable and sent.
    stack.push_async_callback(_drain, commit)
    queries = TaskQueries(store, commit, watchers, live_logs)
    core.started(
        RunningCore(
            configuration=public_configuration(settings, wallet, version),
            engine=engine,
            sessions=sessions,
            heartbeats=Heartbeats(engine.submit),
            live_logs=live_logs,
            login=Login(tokens, clock, chain_id=chain.chain_id, pool=pool, whitelist=settings.whitelist),
            queries=queries,
            log_access=LogAccess(queries, clock, chain.chain_id),
            view=view,
            drained=commit.drained,
            clock=clock,
            token_lifetime_s=settings.token_lifetime_s,
        )
    )
    health.set("scheduler", True)
    log.info("core.started", pool=pool, chain=chain.chain_id, hub=chain.hub, tasks=len(engine.tasks))


async def _reach_chain(
    stack: AsyncExitStack, settings: CoreSettings, core: Core, wallet: Wallet
) -> tuple[startup.ChainConfig, HubClient]:
    """Wait for the config server and the node, and check that the pool is ours."""
    config_url, pool = settings.url_of("config_server"), settings.pool_address
    chain = await startup.waited_for(
        "the config server", lambda: startup.read_chain_config(config_url), core.waits_for
    )
    hub = HubClient(settings.node_url, chain.hub, chain_id=chain.chain_id)
    stack.push_async_callback(hub.close)
    node = "the blockchain node"
    await startup.waited_for(node, lambda: startup.connect_chain(hub), core.waits_for)
    await startup.waited_for(node, lambda: startup.check_pool(hub, pool, wallet), core.waits_for)
    return chain, hub


def _reads(
    settings: CoreSettings, chain: startup.ChainConfig, hub: HubClient, engine: Engine
) -> tuple[TaskReads, Weights]:
    # A worker must be able to pay for one transaction (core spec §4, condition 3).
    lowest_balance = 0 if chain.sidechain else GAS_PER_TRANSACTION * settings.gas_price_cap
    return TaskReads(hub, engine.submit), Weights(hub, engine.submit, lowest_balance=lowest_balance)


def _heads(
    settings: CoreSettings, chain: startup.ChainConfig, health: Health, clock: Clock, engine: Engine
) -> tuple[ChainHealth, HeadStream]:
    chain_health = ChainHealth(
        clock,
        health,
        engine.submit,
        threshold_s=settings.threshold_s(chain.block_time_s),
        block_time_s=chain.block_time_s,
    )
    heads = HeadStream(
        settings.node_url,
        block_time=chain.block_time_s,
        on_outage=chain_health.node_lost,
        on_return=chain_health.node_returned,
    )
    return chain_health, heads


def _follower(
    settings: CoreSettings,
    hub: HubClient,
    heads: HeadStream,
    engine: Engine,
    cursor: Cursor | None,
    latest_deal_block: int,
) -> ChainFollower:
    return ChainFollower(
        hub,
        heads,
        DealReader(hub, settings.pool_address),
        settings.pool_address,
        engine.submit,
        known=engine.tasks,
        confirmations=settings.confirmations,
        start_block=settings.start_block,
        position=Position(cursor.number, cursor.hash) if cursor is not None else None,
        largest_range=settings.largest_log_range,
        latest_deal_block=latest_deal_block,
    )


def _adapter(stack: AsyncExitStack, settings: CoreSettings, engine: Engine) -> ChainAdapterClient:
    try:
        channel = open_channel(
            grpc_target_of(settings.url_of("chain_adapter")),
            basic=(settings.chain_adapter_username, settings.chain_adapter_password.get_secret_value()),
        )
    except ValueError as error:
        raise StartupError(f"IEXEC_CORE_CHAIN_ADAPTER_URL: {error}") from error
    stack.push_async_callback(channel.close, None)
    adapter = ChainAdapterClient(channel, engine.submit)
    stack.push_async_callback(adapter.close)
    return adapter


def _results(stack: AsyncExitStack, settings: CoreSettings, engine: Engine) -> ResultProxyClient:
    results = ResultProxyClient(settings.url_of("result_proxy"), engine.submit)
    stack.push_async_callback(results.close)
    return results


def _enclaves(stack: AsyncExitStack, settings: CoreSettings, wallet: Wallet, engine: Engine) -> SmsClient:
    enclaves = SmsClient(
        settings.platform_registry_url,
        settings.platform_registry_stack,
        settings.platform_registry_label,
        wallet,
        engine.submit,
    )
    stack.push_async_callback(enclaves.close)
    return enclaves


async def _watch_chain(chain_health: ChainHealth, heads: HeadStream) -> None:
    while True:
        chain_health.look(heads.latest)
        await heads.wait_change(_LOOK_AT_CHAIN_S)


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(commit: GroupCommit[Change]) -> None:
    try:
        await asyncio.wait_for(commit.drained(), 2)
    except TimeoutError:
        log.warning("core.stopped_before_drained")


def public_configuration(settings: CoreSettings, wallet: Wallet, version: str) -> PublicConfiguration:
    """Return what every worker must know; the hash changes only when something of it does."""
    fields = (
        settings.pool_address,
        wallet.address,
        settings.url_of("config_server"),
        settings.url_of("result_proxy"),
        settings.required_worker_version,
        version,
    )
    return PublicConfiguration(*fields, hash="0x" + keccak(text="\n".join(fields)).hex())
