"""The composition root: builds every object, connects them by constructor arguments, runs until the process stops."""

import asyncio
import uuid
from contextlib import AsyncExitStack

from workerpool_kit.access.authenticators import Authenticator, BasicAuthenticator
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_route import config_chain_route
from workerpool_kit.chain.metrics import LATEST_BLOCK
from workerpool_kit.clock import SystemClock
from workerpool_kit.dependencies.database import database_dependency, open_database
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_kit.dependencies.watch import start_watching, watch
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import Lifetime
from workerpool_kit.runtime.tasks import start_task
from workerpool_kit.serving import new_grpc_server, open_grpc, open_http
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import Address, address
from workerpool_poco.protocol.orders import order_domain
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2_grpc
from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.adapters.detect import detect_profile
from workerpool_transactions.adapters.head_feed import HeadFeed
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.adapters.wallet_signer import WalletSigner
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile

from workerpool_chain_adapter import metrics, startup
from workerpool_chain_adapter.adapters.hub_reads import HubReads
from workerpool_chain_adapter.adapters.linux_processes import LinuxProcesses
from workerpool_chain_adapter.adapters.mongo.command_journal import MongoCommandJournal
from workerpool_chain_adapter.adapters.mongo.documents import MODELS
from workerpool_chain_adapter.adapters.mongo.entry_journal import MongoEntryJournal
from workerpool_chain_adapter.adapters.mongo.schema import MIGRATIONS
from workerpool_chain_adapter.adapters.mongo.wallet_lease import MongoWalletLease
from workerpool_chain_adapter.api import http_routes, transaction_service
from workerpool_chain_adapter.app.assembly import Assembly, Limits
from workerpool_chain_adapter.app.lease import LEASE_S, Lease
from workerpool_chain_adapter.settings import ChainAdapterSettings

log = get_logger()


async def serve(settings: ChainAdapterSettings, lifetime: Lifetime) -> None:
    """Serve commands until the process must stop."""
    startup.warn_of_default_password(settings)
    health = Health()
    node = DependencyReport(health, startup.node_dependency(settings))
    stored = DependencyReport(health, database_dependency(settings))
    async with AsyncExitStack() as cleanup:
        routes = [config_chain_route(chain_config(settings))]
        http = await open_http(settings, health, cleanup, routes=routes)
        # Concurrently: deriving the wallet's key takes a second of CPU, and the database is another process.
        wallet, database = await asyncio.gather(
            startup.open_wallet(settings),
            open_database(settings, stored, lifetime, cleanup, models=MODELS, migrations=MIGRATIONS),
        )
        hub = await startup.connect_hub(settings, node)
        cleanup.push_async_callback(hub.close)
        await startup.check_origin(database, settings)
        lease = wallet_lease(database, wallet.address)
        await startup.acquire(lease)
        cleanup.push_async_callback(lease.release)
        lifetime.spawn(lease.keep(), "lease")

        heads = HeadStream(
            settings.node_url,
            block_time=settings.block_time_s,
            chain_id=settings.chain_id,
            create_task=start_task,
            traffic=hub.rpc.traffic,
            busy=lambda: assembly.pipeline.status().in_flight > 0,
        )
        assembly = await build(settings, database, hub, wallet, node, heads)
        heads.start()
        cleanup.push_async_callback(heads.stop)
        start_watching(lifetime, cleanup, watch(node, startup.node_probe(heads), every_s=0.5), startup.CHAIN)

        await assembly.resume()
        lifetime.spawn(assembly.run(), "transactions")
        feed = HeadFeed(hub.rpc, assembly.pipeline)
        cleanup.push_async_callback(feed.stop)
        lifetime.spawn(follow(heads, assembly.pipeline, feed), "heads")

        authenticator = BasicAuthenticator(settings.username, settings.password, transaction_service.ADMIN)
        # The HTTP server reports its health from the start and accepts commands from here on.
        http.add_routes(
            http_routes.routes(
                assembly.commands, authenticator, mutual_tls=settings.tls_client_ca is not None
            )
        )
        await open_grpc(grpc_server(settings, assembly, authenticator), settings, health, http, cleanup)
        log.info("adapter.started", wallet=wallet.address, chain=settings.chain_id, hub=settings.hub_address)
        await lifetime.stopped()


def chain_config(settings: ChainAdapterSettings) -> ChainConfig:
    """Return the chain as `GET /config/chain` describes it."""
    return ChainConfig(
        settings.chain_id,
        settings.sidechain,
        settings.node_url,
        settings.hub_address,
        settings.block_time_s,
    )


def wallet_lease(database: Database, wallet: Address) -> Lease:
    """Return the lease of this process on a wallet."""
    processes = LinuxProcesses()
    stored = MongoWalletLease(database, wallet, uuid.uuid4().hex, processes.describe(), LEASE_S)
    return Lease(stored, processes, wallet)


async def build(
    settings: ChainAdapterSettings,
    database: Database,
    hub: HubClient,
    wallet: Wallet,
    report: DependencyReport,
    heads: HeadStream,
) -> Assembly:
    """Return the use cases and loops of the wallet, once the node tells the chain's constants."""
    clock = SystemClock()
    policy = FeePolicy(settings.gas_price_multiplier, settings.gas_price_cap)
    chain = HubReads(hub, wallet.address, clock)

    async def read() -> tuple[ChainProfile, int]:
        await chain.prepare()
        profile = await detect_profile(hub.rpc, settings.chain_id, policy=policy, shape=settings.chain_shape)
        return profile, await hub.callback_gas()

    # The node may be lost in the second between the connection and the first read.
    profile, callback_gas = await startup.retry_node(read, "read the chain's constants", report)
    log.info("chain.detected", chain=settings.chain_id, shape=profile.shape)
    return Assembly(
        hub=hub.hub_address,
        journal=MongoCommandJournal(database),
        entries=MongoEntryJournal(database, wallet.address),
        chain=chain,
        node=RpcNode(hub.rpc, wallet.address),
        signer=WalletSigner(wallet, settings.chain_id),
        clock=clock,
        timer=AsyncioTimer(),
        limits=Limits(policy, profile, settings.max_in_flight, settings.block_time_s, callback_gas),
        submitted=heads.wake,
    )


async def follow(heads: HeadStream, pipeline: Pipeline, feed: HeadFeed) -> None:
    """Pass each new head to the pipeline, until cancelled."""
    async for head in heads:
        LATEST_BLOCK.set(head.number)
        feed.take(head)
        wallet = pipeline.status()
        metrics.TX_COUNT.labels("latest").set(wallet.mined_nonce)
        metrics.TX_COUNT.labels("pending").set(wallet.mined_nonce + wallet.in_flight)


def grpc_server(
    settings: ChainAdapterSettings, assembly: Assembly, authenticator: Authenticator
) -> GrpcServer:
    """Return the gRPC server with the service added."""
    server = new_grpc_server(settings, policy=transaction_service.POLICY, authenticator=authenticator)
    server.add(
        transaction_service_pb2_grpc.add_TransactionServiceServicer_to_server,
        transaction_service.TransactionServicer(
            assembly.commands,
            assembly.wallet,
            order_domain(settings.chain_id, address(settings.hub_address)),
        ),
        transaction_service.SERVICE,
    )
    return server
