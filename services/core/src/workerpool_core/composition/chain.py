"""The node: its connection, heads, health, follower and readers."""

from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import read_chain_config
from workerpool_kit.chain.node_calls import NodeCalls
from workerpool_kit.dependencies.report import Dependency, DependencyReport
from workerpool_kit.runtime.tasks import start_task
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.rpc import without_secrets
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.protocol.ids import address

from workerpool_core import startup
from workerpool_core.app.chain.chain_follower import ChainFollower
from workerpool_core.app.chain.chain_health import ChainHealth
from workerpool_core.app.chain.deals import DealReader
from workerpool_core.app.chain.task_state_reader import TaskStateReader
from workerpool_core.app.chain.weight_reader import WeightReader
from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.ports import Cursor, HeadSource
from workerpool_core.composition.parts import Parts
from workerpool_core.domain.events import BlockSeen, BlocksReverted, ReconcileDue

_HEALTH_PERIOD_S = 0.5


def chain_dependency(parts: Parts) -> Dependency:
    """Return the node as a dependency, with the variable that an operator corrects."""
    return Dependency(
        "chain",
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        without_secrets(parts.settings.node_url),
        "start the node or correct the variable; it must serve the chain of the config server",
    )


async def connect(parts: Parts) -> tuple[ChainConfig, HubClient]:
    """Wait for the config server and the node, and check that the wallet owns the pool. Raises StartupError."""
    settings, core = parts.settings, parts.core
    config_url, pool = settings.url_of("config_server"), settings.pool_address
    report = DependencyReport(parts.health, chain_dependency(parts))
    core.waits_for("the config server")
    config = await read_chain_config(config_url, source="IEXEC_CONFIG_SERVER_URL")
    traffic = Traffic(calls_per_s=settings.node_calls_per_s, observer=NodeCalls())
    hub = HubClient(settings.node_url, address(config.hub_address), chain_id=config.chain_id, traffic=traffic)
    parts.stack.push_async_callback(hub.close)
    node = "the blockchain node"
    await startup.waited_for(node, lambda: startup.connect_chain(hub), core.waits_for, report)
    await startup.waited_for(
        node, lambda: startup.check_pool(hub, pool, parts.wallet), core.waits_for, report
    )
    return config, hub


def readers(
    parts: Parts, config: ChainConfig, hub: HubClient, engine: Engine
) -> tuple[TaskStateReader, WeightReader]:
    """Return the readers of task states and of workers' weights."""
    # A worker must be able to pay for its transactions (core spec §4, condition 3).
    gas_price_cap = 0 if config.sidechain else parts.settings.gas_price_cap
    return (
        TaskStateReader(hub, engine.submit),
        WeightReader(hub, engine.submit, gas_price_cap=gas_price_cap),
    )


def heads_with_health(
    parts: Parts, config: ChainConfig, hub: HubClient, engine: Engine
) -> tuple[ChainHealth, HeadStream]:
    """Return the stream of heads and the health that judges it; both are not started."""
    health = ChainHealth(
        parts.clock,
        parts.health,
        engine.submit,
        threshold_s=parts.settings.threshold_s(config.block_time_s),
        dependency=chain_dependency(parts),
    )
    heads = HeadStream(
        parts.settings.node_url,
        block_time=config.block_time_s,
        busy=lambda: is_busy(engine),
        on_outage=health.node_lost,
        on_return=health.node_returned,
        chain_id=config.chain_id,
        create_task=start_task,
        traffic=hub.rpc.traffic,
    )
    return health, heads


def follower(
    parts: Parts,
    hub: HubClient,
    heads: HeadStream,
    engine: Engine,
    config: ChainConfig,
    cursor: Cursor | None,
    latest_deal_block: int,
) -> ChainFollower:
    """Return the chain follower, which continues after the cursor, or starts at the configured block."""
    settings = parts.settings

    def submit(event: BlockSeen | BlocksReverted | ReconcileDue) -> None:
        engine.submit(event)
        if is_busy(engine):
            heads.wake()

    return ChainFollower(
        hub,
        heads,
        DealReader(hub, settings.pool_address),
        settings.pool_address,
        submit,
        known=engine.tasks,
        confirmations=settings.confirmations,
        start_block=settings.start_block,
        position=cursor,
        largest_range=settings.largest_log_range,
        latest_deal_block=latest_deal_block,
        block_time_s=config.block_time_s,
        busy=lambda: is_busy(engine),
    )


def is_busy(engine: Engine) -> bool:
    """Return whether a task waits for blocks; failed tasks with a later claim do not count."""
    return any(not task.ended for task in engine.tasks.values())


async def watch_health(health: ChainHealth, heads: HeadStream, follower: ChainFollower) -> None:
    """Judge the newest head on each change and every half second, until cancelled."""
    while True:
        position = follower.position
        health.check(heads.latest, position.number if position.hash else 0)
        await heads.wait_change(_HEALTH_PERIOD_S)


def blocks(heads: HeadSource, follower: ChainFollower, confirmations: int) -> tuple[int, int]:
    """Return the newest block to follow, and the last one whose effects are stored."""
    cursor = max(follower.position.number, 0)
    newest = heads.latest.number if heads.latest is not None else cursor
    return newest - confirmations, cursor
