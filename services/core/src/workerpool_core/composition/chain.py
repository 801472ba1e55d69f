"""The node: its connection, heads, health, follower and readers."""

from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import read_chain_config
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import GAS_PER_TRANSACTION
from workerpool_poco.protocol.ids import address

from workerpool_core import startup
from workerpool_core.app.chain.chain_follower import ChainFollower
from workerpool_core.app.chain.chain_health import ChainHealth
from workerpool_core.app.chain.deals import DealReader
from workerpool_core.app.chain.task_state_reader import TaskStateReader
from workerpool_core.app.chain.weight_reader import WeightReader
from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.ports import Cursor
from workerpool_core.composition.parts import Parts

_HEALTH_PERIOD_S = 0.5


async def connect(parts: Parts) -> tuple[ChainConfig, HubClient]:
    """Wait for the config server and the node, and check that the wallet owns the pool. Raises StartupError."""
    settings, core = parts.settings, parts.core
    config_url, pool = settings.url_of("config_server"), settings.pool_address
    core.waits_for("the config server")
    config = await read_chain_config(config_url, source="IEXEC_CONFIG_SERVER_URL")
    hub = HubClient(settings.node_url, address(config.hub_address), chain_id=config.chain_id)
    parts.stack.push_async_callback(hub.close)
    node = "the blockchain node"
    await startup.waited_for(node, lambda: startup.connect_chain(hub), core.waits_for)
    await startup.waited_for(node, lambda: startup.check_pool(hub, pool, parts.wallet), core.waits_for)
    return config, hub


def readers(
    parts: Parts, config: ChainConfig, hub: HubClient, engine: Engine
) -> tuple[TaskStateReader, WeightReader]:
    """Return the readers of task states and of workers' weights."""
    # A worker must be able to pay for one transaction (core spec §4, condition 3).
    lowest_balance = 0 if config.sidechain else GAS_PER_TRANSACTION * parts.settings.gas_price_cap
    return (
        TaskStateReader(hub, engine.submit),
        WeightReader(hub, engine.submit, lowest_balance=lowest_balance),
    )


def heads_with_health(parts: Parts, config: ChainConfig, engine: Engine) -> tuple[ChainHealth, HeadStream]:
    """Return the stream of heads and the health that judges it; both are idle until started."""
    health = ChainHealth(
        parts.clock,
        parts.health,
        engine.submit,
        threshold_s=parts.settings.threshold_s(config.block_time_s),
        block_time_s=config.block_time_s,
    )
    heads = HeadStream(
        parts.settings.node_url,
        block_time=config.block_time_s,
        on_outage=health.node_lost,
        on_return=health.node_returned,
    )
    return health, heads


def follower(
    parts: Parts,
    hub: HubClient,
    heads: HeadStream,
    engine: Engine,
    cursor: Cursor | None,
    latest_deal_block: int,
) -> ChainFollower:
    """Return the chain follower, which continues after the cursor or starts at the configured block."""
    settings = parts.settings
    return ChainFollower(
        hub,
        heads,
        DealReader(hub, settings.pool_address),
        settings.pool_address,
        engine.submit,
        known=engine.tasks,
        confirmations=settings.confirmations,
        start_block=settings.start_block,
        position=cursor,
        largest_range=settings.largest_log_range,
        latest_deal_block=latest_deal_block,
    )


async def watch_health(health: ChainHealth, heads: HeadStream) -> None:
    """Judge the newest head on each change and every half second, until cancelled."""
    while True:
        health.look(heads.latest)
        await heads.wait_change(_HEALTH_PERIOD_S)
