"""Composition root: build every object, connect it by constructor arguments, run until the process stops."""

import asyncio
import uuid
from contextlib import AsyncExitStack

from workerpool_kit.access.authenticators import Authenticator, BasicAuthenticator
from workerpool_kit.clock import SystemClock
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import Lifetime, version_of
from workerpool_kit.targets import grpc_port
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.protocol.ids import Address
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2_grpc

from workerpool_chain_adapter import startup
from workerpool_chain_adapter.adapters.hub_chain import HubChain
from workerpool_chain_adapter.adapters.linux_processes import LinuxProcesses
from workerpool_chain_adapter.adapters.mongo.command_journal import MongoCommandJournal
from workerpool_chain_adapter.adapters.mongo.documents import MODELS
from workerpool_chain_adapter.adapters.mongo.transaction_journal import MongoTransactionJournal
from workerpool_chain_adapter.adapters.mongo.wallet_lease import MongoWalletLease
from workerpool_chain_adapter.api import http_routes, transaction_service
from workerpool_chain_adapter.app.lease import LEASE_S, Lease
from workerpool_chain_adapter.app.pipeline import Pipeline, PipelineLimits
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_chain_adapter.domain.planning import largest_batch
from workerpool_chain_adapter.settings import ChainAdapterSettings

log = get_logger()

_MAX_CALLS_PER_CONNECTION = 100_000
"""Core watches every command of a bag of thousands by its own stream, all on one connection."""


async def serve(settings: ChainAdapterSettings, lifetime: Lifetime) -> None:
    """Serve commands until the process is asked to stop."""
    startup.warn_of_default_password(settings)
    health = Health()
    health.set(startup.CHAIN, False, reason="not connected yet")
    async with AsyncExitStack() as cleanup:
        http = HttpServer(settings.http_port, health=health, version=version_of(ChainAdapterSettings))
        await http.start()
        cleanup.push_async_callback(http.stop)

        async def connect_database() -> Database:
            database = await Database.connect(settings, models=MODELS)
            cleanup.push_async_callback(database.close)
            return database

        # Deriving the wallet's key takes a second of CPU, and the database is another process.
        wallet, database = await asyncio.gather(startup.open_wallet(settings), connect_database())
        hub = await startup.connect_hub(settings, health)
        cleanup.push_async_callback(hub.close)
        await startup.check_origin(database, settings)
        lease = wallet_lease(database, wallet.address)
        await startup.acquire(lease)
        cleanup.push_async_callback(lease.release)
        lifetime.spawn(lease.keep(), "lease")

        heads = HeadStream(
            settings.node_url,
            block_time=settings.block_time_s,
            on_outage=lambda error: health.set(startup.CHAIN, False, reason=str(error)),
            on_return=lambda: health.set(startup.CHAIN, True),
        )
        heads.start()
        cleanup.push_async_callback(heads.stop)

        chain = HubChain(hub, wallet)
        await chain.prepare()
        pipeline = await build_pipeline(settings, database, chain, heads)
        await pipeline.resume()
        lifetime.spawn(pipeline.tracker.run(), "tracker")
        lifetime.spawn(pipeline.tracker.follow_heads(), "heads")
        lifetime.spawn(pipeline.sender.run(), "sender")

        authenticator = BasicAuthenticator(settings.username, settings.password, transaction_service.ADMIN)
        # The HTTP server reports its health from the start and accepts commands from here on.
        http.app.router.routes[:0] = http_routes.routes(pipeline.commands, authenticator)
        server = grpc_server(settings, pipeline, authenticator)
        server.follow(health)
        await server.start()
        cleanup.push_async_callback(server.stop)
        log.info("adapter.started", wallet=wallet.address, chain=settings.chain_id, hub=settings.hub_address)
        await lifetime.stopped()


def wallet_lease(database: Database, wallet: Address) -> Lease:
    """Return the lease of this process on a wallet."""
    processes = LinuxProcesses()
    stored = MongoWalletLease(database, wallet, uuid.uuid4().hex, processes.describe(), LEASE_S)
    return Lease(stored, processes, wallet)


async def build_pipeline(
    settings: ChainAdapterSettings, database: Database, chain: HubChain, heads: HeadStream
) -> Pipeline:
    """Return the use cases and loops of the wallet. Raises ChainUnreachable."""
    return Pipeline(
        journal=MongoCommandJournal(database),
        transactions=MongoTransactionJournal(database, chain.address),
        chain=chain,
        heads=heads,
        clock=SystemClock(),
        limits=PipelineLimits(
            policy=GasPolicy(settings.gas_price_multiplier, settings.gas_price_cap),
            sidechain=settings.sidechain,
            max_in_flight=settings.max_in_flight,
            max_batch=largest_batch(await chain.block_gas_limit()),
        ),
    )


def grpc_server(
    settings: ChainAdapterSettings, pipeline: Pipeline, authenticator: Authenticator
) -> GrpcServer:
    """Return the gRPC server with the service added."""
    server = GrpcServer(
        grpc_port(settings.http_port, settings.grpc_port),
        authenticator=authenticator,
        policy=transaction_service.POLICY,
        most_calls_per_connection=_MAX_CALLS_PER_CONNECTION,
    )
    server.add(
        transaction_service_pb2_grpc.add_TransactionServiceServicer_to_server,
        transaction_service.TransactionServicer(pipeline.commands, pipeline.funds, pipeline.sender),
        transaction_service.SERVICE,
    )
    return server
