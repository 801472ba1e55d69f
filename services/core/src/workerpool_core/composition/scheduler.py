"""The scheduler with its store, its engine and its background tasks."""

import asyncio
from random import Random
from typing import Any

from workerpool_kit.access.tokens import Tokens
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database

from workerpool_core.adapters.mongo.changes import Change
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.engine.effects import Effects
from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.engine.group_commit import GroupCommit
from workerpool_core.app.maintenance.database_health import watch_database
from workerpool_core.app.maintenance.garbage_collection import freeze_live_tasks
from workerpool_core.app.maintenance.log_purge import purge_logs_daily
from workerpool_core.app.ports import Cursor
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.log_access import LogAccess
from workerpool_core.app.queries.pool_view import PoolView
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.app.running import RunningCore
from workerpool_core.app.workers.assignments import Assignments
from workerpool_core.app.workers.heartbeats import Heartbeats
from workerpool_core.app.workers.login import Login
from workerpool_core.app.workers.sessions import Sessions
from workerpool_core.composition import chain, clients
from workerpool_core.composition.observation import Observation
from workerpool_core.composition.parts import Parts
from workerpool_core.composition.public_configuration import public_configuration
from workerpool_core.domain.policy import Policy, proof_timeout
from workerpool_core.domain.scheduler import Scheduler

log = get_logger()

_DRAIN_LIMIT_S = 2


async def start_scheduler(parts: Parts, tokens: Tokens, database: Database) -> None:
    """Wait for the chain, load the stored state, start the scheduler and open the API. Raises StartupError."""
    settings, pool = parts.settings, parts.settings.pool_address
    config, hub = await chain.connect(parts)
    parts.core.waits_for("its database")
    store = Store(database)
    newest = await store.recover()
    cursor = await store.cursor()
    _log_start_block(parts, cursor)
    policy = Policy(
        proof_timeout_s=proof_timeout(config.block_time_s),
        slot_memory_bytes=settings.slot_memory_mib * 2**20,
        required_worker_version=settings.required_worker_version,
    )
    scheduler = Scheduler(policy, Random(), await store.snapshot(policy, parts.clock.now()))
    live_logs = LiveLogs(scheduler.tasks)
    observation = Observation(live_logs, parts.clock)
    engine = Engine(scheduler, parts.clock, observe=observation.observe, crashed=parts.lifetime.fail)
    parts.stack.callback(engine.stop)

    sessions, watchers = Sessions(), Watchers()
    reads, weights = chain.readers(parts, config, hub, engine)
    effects = Effects(
        sessions=sessions,
        assignments=Assignments(parts.wallet, engine.tasks),
        transactions=clients.chain_adapter(parts, engine),
        reads=reads,
        weights=weights,
        results=clients.result_proxy(parts, engine),
        enclaves=clients.sms(parts, engine),
        moved=watchers.moved,
        assigned=observation.assigned,
    )
    commit = GroupCommit(store, newest, effects.perform, effects.prepare)
    chain_health, heads = chain.heads_with_health(parts, config, engine)
    follower = chain.follower(parts, hub, heads, engine, cursor, await store.latest_deal_block())
    view = PoolView(engine, follower, heads, parts.clock, pool, await store.status_counts())
    observation.start(parts, engine, view)

    freeze_live_tasks()
    background: list[asyncio.Task[Any]] = []
    parts.stack.push_async_callback(_cancel, background)
    spawn = parts.lifetime.spawn
    background += [spawn(reads.run(), "chain reads"), spawn(weights.run(), "weights")]
    background += commit.start(parts.lifetime)
    engine.start(commit)
    heads.start()
    parts.stack.push_async_callback(heads.stop)
    background += [
        spawn(follower.run(), "chain follower"),
        spawn(chain.watch_health(chain_health, heads), "chain health"),
        spawn(watch_database(store, parts.health), "database health"),
        spawn(engine.reconcile(settings.reveal_timeout_period_ms / 1000), "reconciler"),
        spawn(_purge_logs(parts, store), "log purge"),
    ]
    # Decisions made before the stop become durable, and their effects are performed.
    parts.stack.push_async_callback(_drain, commit)
    queries = TaskQueries(store, commit, watchers, live_logs)
    parts.core.started(
        RunningCore(
            configuration=public_configuration(settings, parts.wallet, parts.version),
            engine=engine,
            sessions=sessions,
            heartbeats=Heartbeats(engine.submit),
            live_logs=live_logs,
            login=Login(
                tokens, parts.clock, chain_id=config.chain_id, pool=pool, whitelist=settings.whitelist
            ),
            queries=queries,
            log_access=LogAccess(queries, parts.clock, config.chain_id),
            view=view,
            drained=commit.drained,
            clock=parts.clock,
            token_lifetime_s=settings.token_lifetime_s,
        )
    )
    parts.health.set("scheduler", True)
    log.info(
        "core.started", pool=pool, chain=config.chain_id, hub=config.hub_address, tasks=len(engine.tasks)
    )


def _log_start_block(parts: Parts, cursor: Cursor | None) -> None:
    """Log that IEXEC_START_BLOCK_NUMBER is ignored, when it is set and the database has a cursor."""
    if cursor is not None and "start_block" in parts.settings.model_fields_set:
        log.info(
            "start_block.ignored",
            variable="IEXEC_START_BLOCK_NUMBER",
            reason=f"the database has a cursor; core continues at block {cursor.number + 1}",
            change_with="workerpool-core reset-cursor --to N",
        )


async def _purge_logs(parts: Parts, store: Store) -> None:
    settings = parts.settings
    await purge_logs_daily(
        store,
        parts.clock,
        every_days=settings.logs_purge_rate_days,
        keep_days=settings.logs_availability_days,
    )


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(commit: GroupCommit[Change]) -> None:
    try:
        await asyncio.wait_for(commit.drained(), _DRAIN_LIMIT_S)
    except TimeoutError:
        log.warning("core.drain_timed_out", limit_s=_DRAIN_LIMIT_S)
