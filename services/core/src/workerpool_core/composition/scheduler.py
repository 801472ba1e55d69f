"""The scheduler with its store, its engine and its background tasks."""

import asyncio
from random import Random
from typing import Any

from workerpool_kit.access.tokens import Tokens
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import StartupError
from workerpool_kit.runtime.tasks import end_tasks
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.model import reorganisation_blocks

from workerpool_core.adapters.grpc.result_proxy import ResultProxyClient
from workerpool_core.adapters.mongo.changes import Change
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.engine.effects import Effects
from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.engine.group_commit import GroupCommit
from workerpool_core.app.maintenance.garbage_collection import freeze_live_tasks
from workerpool_core.app.maintenance.log_purge import purge_logs_daily
from workerpool_core.app.maintenance.retention import remove_ended_tasks_hourly
from workerpool_core.app.ports import Cursor
from workerpool_core.app.queries.compass import Compass, public_url
from workerpool_core.app.queries.deal_queries import DealQueries
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.log_access import LogAccess
from workerpool_core.app.queries.log_tail import LogTail
from workerpool_core.app.queries.pool_conditions import PoolConditions
from workerpool_core.app.queries.pool_view import PoolView
from workerpool_core.app.queries.pool_wallet import PoolWallet
from workerpool_core.app.queries.supply_view import SupplyView
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.app.running import RunningCore
from workerpool_core.app.workers.assignments import Assignments
from workerpool_core.app.workers.configuration_push import ConfigurationPush
from workerpool_core.app.workers.head_push import push_heads
from workerpool_core.app.workers.heartbeats import Heartbeats
from workerpool_core.app.workers.login import Login
from workerpool_core.app.workers.refusals import Refusals
from workerpool_core.app.workers.sent_assignments import SentAssignments
from workerpool_core.app.workers.sessions import Sessions
from workerpool_core.composition import chain, clients, live_settings
from workerpool_core.composition.dependencies import RegistryProbe
from workerpool_core.composition.observation import Observation
from workerpool_core.composition.parts import Parts
from workerpool_core.composition.public_configuration import public_configuration
from workerpool_core.domain.policy import Policy, proof_timeout
from workerpool_core.domain.scheduler import Scheduler
from workerpool_core.settings import CoreSettings

log = get_logger()

_DRAIN_LIMIT_S = 2


async def start_scheduler(parts: Parts, tokens: Tokens, database: Database, registry: RegistryProbe) -> None:
    """Wait for the chain, load the stored state, start the scheduler and open the API. Raises StartupError."""
    settings, pool = _live_settings(parts), parts.settings.pool_address
    config, hub = await chain.connect(parts)
    registry.chain = config
    parts.core.waits_for("its database")
    store = Store(database)
    newest = await store.recover()
    cursor = await store.cursor()
    _log_start_block(parts, cursor)
    policy = Policy(
        proof_timeout_s=proof_timeout(config.block_time_s),
        reorganisation_blocks=reorganisation_blocks(config.block_time_s),
        slot_memory_bytes=settings.slot_memory_mib * 2**20,
        required_worker_version=settings.required_worker_version,
        error_results=settings.error_results,
        tasks_ahead=settings.tasks_ahead,
        max_absence_s=settings.max_absence_s,
        assignment_timeout_s=settings.assignment_timeout_s,
        newcomer_assignments=settings.newcomer_assignments,
    )
    scheduler = Scheduler(policy, Random(), await store.snapshot(policy, parts.clock.now()))
    watchers, log_watchers = Watchers(), Watchers()
    live_logs = LiveLogs(scheduler.tasks, changed=log_watchers.moved)
    observation = Observation(live_logs, parts.clock)
    engine = Engine(scheduler, parts.clock, observe=observation.observe, crashed=parts.lifetime.fail)
    parts.stack.callback(engine.stop)

    sessions, sent = Sessions(), SentAssignments(engine.submit)
    reads, weights = chain.readers(parts, config, hub, engine)
    results = clients.result_proxy(parts, settings, engine)

    def assigned(task_id: TaskId, wallet: str) -> None:
        observation.assigned(task_id, wallet)
        sent.sent(wallet, task_id)

    def moved(task_id: TaskId) -> None:
        watchers.moved(task_id)
        log_watchers.moved(task_id)

    adapter, owner_wallet, journal = clients.chain_adapter(parts, engine)
    effects = Effects(
        sessions=sessions,
        assignments=Assignments(parts.wallet, engine.tasks),
        transactions=adapter,
        reads=reads,
        weights=weights,
        results=results,
        enclaves=clients.sms(parts, engine),
        moved=moved,
        assigned=assigned,
    )
    commit = GroupCommit(store, newest, effects.perform, effects.prepare)
    chain_health, heads = chain.heads_with_health(parts, config, hub, engine)
    follower = chain.follower(parts, hub, heads, engine, config, cursor, await store.latest_deal_block())
    refusals = Refusals(parts.clock)
    conditions = PoolConditions(
        parts.health,
        refusals,
        wallet=lambda: owner_wallet.latest,
        blocks=lambda: chain.blocks(heads, follower, settings.confirmations),
    )
    view = PoolView(
        engine,
        follower,
        heads,
        parts.clock,
        pool,
        await store.status_counts(),
        lambda: engine.explain(conditions.now()),
    )
    observation.start(parts, engine, view)

    def holds_work(wallet: str) -> bool:
        return wallet in engine.workers and bool(engine.workers[wallet].held)

    freeze_live_tasks()
    background: list[asyncio.Task[Any]] = []
    parts.stack.push_async_callback(_end, background)
    spawn = parts.lifetime.spawn
    background += [spawn(reads.run(), "chain reads"), spawn(weights.run(), "weights")]
    background += commit.start(parts.lifetime)
    engine.start(commit)
    heads.start()
    parts.stack.push_async_callback(heads.stop)
    background += [
        spawn(follower.run(), "chain follower"),
        spawn(push_heads(heads, sessions, parts.clock, holds_work=holds_work), "heads for workers"),
        spawn(chain.watch_health(chain_health, heads, follower), "chain health"),
        spawn(engine.reconcile(settings.reveal_timeout_period_ms / 1000), "reconciler"),
        spawn(_purge_logs(parts, store), "log purge"),
        spawn(owner_wallet.run(), "wallet of the chain adapter"),
    ]
    if settings.task_retention_s is not None:
        removing = remove_ended_tasks_hourly(
            store, policy, parts.clock, retention_s=settings.task_retention_s
        )
        background.append(spawn(removing, "retention of tasks"))
    # Make decisions from before the stop durable, and execute their effects.
    parts.stack.push_async_callback(_drain, commit)
    queries = TaskQueries(
        store,
        commit,
        watchers,
        live_logs,
        engine.tasks,
        queued_tasks=lambda: engine.queued_tasks,
        retention_s=settings.task_retention_s,
    )
    running = RunningCore(
        configuration=public_configuration(settings, parts.wallet, parts.version),
        engine=engine,
        sessions=sessions,
        heartbeats=Heartbeats(engine.submit),
        live_logs=live_logs,
        login=Login(
            tokens,
            parts.clock,
            chain_id=config.chain_id,
            pool=pool,
            whitelist=settings.whitelist,
            holds_work=holds_work,
        ),
        queries=queries,
        log_access=LogAccess(queries, parts.clock, config.chain_id),
        compass=Compass(
            pool, config.chain_id, public_url(settings.public_url, settings.http_bind, settings.http_port)
        ),
        view=view,
        supply=SupplyView(engine, follower),
        deals=DealQueries(store, store, engine, queries.wait_visible),
        log_tail=LogTail(queries, live_logs, engine.tasks, log_watchers),
        refusals=refusals,
        conditions=conditions,
        pool_wallet=PoolWallet(journal, hub, parts.wallet.address),
        clock=parts.clock,
        token_lifetime_s=settings.token_lifetime_s,
    )
    _follow_live_settings(parts, settings, running, results)
    parts.core.started(running)
    parts.health.set("scheduler", True)
    log.info(
        "core.started", pool=pool, chain=config.chain_id, hub=config.hub_address, tasks=len(engine.tasks)
    )


def _live_settings(parts: Parts) -> CoreSettings:
    try:
        return live_settings.read(parts.settings)
    except live_settings.LiveFileError as error:
        raise StartupError(str(error)) from error


def _follow_live_settings(
    parts: Parts, settings: CoreSettings, running: RunningCore, results: ResultProxyClient
) -> None:
    """Apply the file of live settings again on each SIGHUP."""

    def use_proxy(url: str) -> None:
        results.proxy_url = url

    push = ConfigurationPush(running, settings.whitelist, use_proxy)

    def apply(changed: CoreSettings) -> None:
        push.apply(public_configuration(changed, parts.wallet, parts.version), changed.whitelist)

    parts.stack.callback(live_settings.on_hangup(parts.settings, apply))


def _log_start_block(parts: Parts, cursor: Cursor | None) -> None:
    """Log that IEXEC_START_BLOCK_NUMBER is ignored, when it is set and the database has a cursor."""
    if cursor is not None and "start_block" in parts.settings.model_fields_set:
        log.info(
            "start_block.ignored",
            variable="IEXEC_START_BLOCK_NUMBER",
            reason=f"the database has a cursor; core continues at block {cursor.number + 1}",
            change_with="workerpool-core reset-cursor --to N",
        )


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    """Cancel and await every task that the list holds at the stop."""
    await end_tasks(*tasks)


async def _purge_logs(parts: Parts, store: Store) -> None:
    settings = parts.settings
    await purge_logs_daily(
        store,
        parts.clock,
        every_days=settings.logs_purge_rate_days,
        keep_days=settings.logs_availability_days,
    )


async def _drain(commit: GroupCommit[Change]) -> None:
    try:
        await asyncio.wait_for(commit.drained(), _DRAIN_LIMIT_S)
    except TimeoutError:
        log.warning("core.drain_timed_out", limit_s=_DRAIN_LIMIT_S)
