"""Opens the worker's access to the chain: node, heads, wallet, and the pipeline of its transactions."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.node_calls import NodeCalls
from workerpool_kit.clock import SystemClock
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_kit.dependencies.watch import start_watching, watch
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.process import Lifetime
from workerpool_kit.runtime.tasks import end_tasks, start_task
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import address
from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.adapters.head_feed import HeadFeed
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.adapters.wallet_signer import WalletSigner
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import Entry
from workerpool_transactions.domain.fees import FeePolicy

from workerpool_worker import dependencies, startup
from workerpool_worker.adapters.chain.chain_clock import ChainClock
from workerpool_worker.adapters.chain.pool_heads import PoolHeads
from workerpool_worker.adapters.chain.wallet_chain import WalletChain
from workerpool_worker.adapters.chain.wallet_funds import WalletFunds
from workerpool_worker.adapters.sqlite_transactions import SqliteTransactions
from workerpool_worker.settings import WorkerSettings

log = get_logger()


@dataclass(frozen=True, slots=True)
class ChainAccess:
    """The parts of the worker that know the chain."""

    chain: WalletChain
    clock: ChainClock
    heads: PoolHeads
    funds: WalletFunds


async def open_chain(
    settings: WorkerSettings,
    config: ChainConfig,
    wallet: Wallet,
    journal: SqliteTransactions,
    health: Health,
    lifetime: Lifetime,
    stack: AsyncExitStack,
) -> ChainAccess:
    """Reach the node, wait for the first reads, and deliver the journal's transactions until `stack` closes."""
    traffic = Traffic(calls_per_s=settings.node_calls_per_s, observer=NodeCalls())
    hub = HubClient(config.node_url, address(config.hub_address), chain_id=config.chain_id, traffic=traffic)
    stack.push_async_callback(hub.close)
    report = dependencies.node_report(health, settings, config.node_url)
    await startup.check_chain(hub, config, settings, report)
    heads = _follow_heads(config, traffic, stack)
    watching = watch(report, dependencies.node_probe(heads, hub.rpc), every_s=0.5)
    start_watching(lifetime, stack, watching, "chain")
    policy = FeePolicy(settings.gas_price_multiplier, 0 if config.sidechain else settings.gas_price_cap)
    profile = await startup.read_profile(hub, config, settings, policy)
    node = RpcNode(hub.rpc, wallet.address)
    pipeline = Pipeline(
        node=node,
        journal=journal,
        signer=WalletSigner(wallet, config.chain_id),
        clock=SystemClock(),
        timer=AsyncioTimer(),
        policy=policy,
        profile=profile,
        settle=_log_ended,
        restore=_log_restored,
        block_time_s=config.block_time_s,
    )
    feed = HeadFeed(hub.rpc, pipeline)
    stack.push_async_callback(feed.stop)
    heads.on_head(feed.take)
    await pipeline.resume()
    delivery = lifetime.spawn(pipeline.run(), "transactions")
    stack.push_async_callback(end_tasks, delivery)
    funds = WalletFunds(node, policy, pipeline.status)
    await startup.read_account(hub, wallet)
    await _watch_funds(funds, wallet, health, lifetime, stack)
    chain = WalletChain(
        hub,
        heads,
        pipeline,
        journal=journal,
        node=node,
        policy=policy,
        wallet=wallet.address,
        workerpool=settings.pool_address,
    )
    return ChainAccess(chain, ChainClock(heads), heads, funds)


def _follow_heads(config: ChainConfig, traffic: Traffic, stack: AsyncExitStack) -> PoolHeads:
    own = HeadStream(
        config.node_url,
        block_time=config.block_time_s,
        busy=lambda: False,
        chain_id=config.chain_id,
        create_task=start_task,
        traffic=traffic,
    )
    heads = PoolHeads(own)
    heads.start()
    stack.push_async_callback(heads.stop)
    return heads


async def _watch_funds(
    funds: WalletFunds, wallet: Wallet, health: Health, lifetime: Lifetime, stack: AsyncExitStack
) -> None:
    report = DependencyReport(health, dependencies.wallet_dependency(wallet))
    await dependencies.probe_once(report, funds.probe)
    watching = watch(report, funds.probe, every_s=dependencies.SLOW_PERIOD_S)
    start_watching(lifetime, stack, watching, "wallet")


async def _log_ended(entries: Sequence[Entry]) -> None:
    for entry in entries:
        mined = entry.receipt
        log.info(
            "transaction.ended",
            labels=entry.call.labels,
            nonce=entry.nonce,
            state=entry.state.value,
            transaction=mined.hash if mined else entry.latest.hash,
            block=mined and mined.block_number,
            gas_used=mined and mined.gas_used,
        )


async def _log_restored(entries: Sequence[Entry]) -> None:
    for entry in entries:
        log.info("transaction.reopened", labels=entry.call.labels, nonce=entry.nonce)
