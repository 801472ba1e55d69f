"""Entry point of the chain adapter: ``workerpool-chain-adapter`` or ``python -m workerpool_chain_adapter``."""

from contextlib import AsyncExitStack
from typing import NoReturn

from workerpool_kit.access.authenticators import BasicAuthenticator
from workerpool_kit.clock import SystemClock
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo import Database
from workerpool_kit.process import Lifetime, run_service, version_of
from workerpool_kit.targets import grpc_port
from workerpool_poco.chain.heads import HeadStream
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2_grpc

from workerpool_chain_adapter import startup
from workerpool_chain_adapter.adapters import mongo_journal
from workerpool_chain_adapter.adapters.hub_chain import OwnerChain
from workerpool_chain_adapter.api import http_routes, transaction_service
from workerpool_chain_adapter.app.active_commands import Board
from workerpool_chain_adapter.app.commands import Commands
from workerpool_chain_adapter.app.funds import Funds
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.lease import Lease
from workerpool_chain_adapter.app.mined import Mined
from workerpool_chain_adapter.app.recovery import resume
from workerpool_chain_adapter.app.sender import Sender
from workerpool_chain_adapter.app.settlement import Settlement
from workerpool_chain_adapter.app.tracker import Tracker
from workerpool_chain_adapter.domain.fees import GasPolicy
from workerpool_chain_adapter.settings import DOCUMENTED_PASSWORD, ChainAdapterSettings

log = get_logger()


async def serve(settings: ChainAdapterSettings, lifetime: Lifetime) -> None:
    """Serve commands until the process is asked to stop."""
    if settings.password.get_secret_value() == DOCUMENTED_PASSWORD:
        log.warning("password.is_the_documented_default", variable="IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD")
    clock, health = SystemClock(), Health()
    health.set(startup.CHAIN, False, reason="not connected yet")
    async with AsyncExitStack() as cleanup:
        http = HttpServer(settings.http_port, health=health, version=version_of(ChainAdapterSettings))
        await http.start()
        cleanup.push_async_callback(http.stop)

        wallet = await startup.open_wallet(settings)
        database = await Database.connect(settings, models=mongo_journal.MODELS)
        cleanup.push_async_callback(database.close)
        hub = await startup.connect_hub(settings, health)
        cleanup.push_async_callback(hub.close)
        await startup.bind_journal(database, settings)
        lease = Lease(database, wallet.address)
        await lease.acquire()
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

        chain = OwnerChain(hub, wallet)
        await chain.prepare()
        journal = mongo_journal.Journal(database, wallet.address)
        policy = GasPolicy(settings.gas_price_multiplier, settings.gas_price_cap)
        board, in_flight = Board(journal.save), InFlight()
        mined = Mined(journal=journal, board=board, chain=chain, in_flight=in_flight, clock=clock)
        settlement = Settlement(board, chain, clock)
        funds = Funds(chain, policy, clock, sidechain=settings.sidechain)
        await funds.refresh()
        sender = Sender(
            journal=journal,
            board=board,
            chain=chain,
            heads=heads,
            in_flight=in_flight,
            mined=mined,
            settlement=settlement,
            policy=policy,
            clock=clock,
            max_in_flight=settings.max_in_flight,
            max_batch=startup.largest_batch(await chain.block_gas_limit()),
        )
        tracker = Tracker(
            journal=journal,
            board=board,
            chain=chain,
            heads=heads,
            in_flight=in_flight,
            mined=mined,
            sender=sender,
            settlement=settlement,
            funds=funds,
            policy=policy,
            clock=clock,
        )
        commands = Commands(
            journal=journal, board=board, chain=chain, tracker=tracker, funds=funds, clock=clock
        )
        await resume(journal, board, in_flight, mined, sender, clock)
        lifetime.spawn(tracker.run(), "tracker")
        lifetime.spawn(tracker.follow_heads(), "heads")
        lifetime.spawn(sender.run(), "sender")

        authenticator = BasicAuthenticator(settings.username, settings.password, transaction_service.ADMIN)
        # The HTTP side tells its health from the beginning; commands it takes only now.
        http.app.router.routes[:0] = http_routes.routes(commands, authenticator)
        server = GrpcServer(
            grpc_port(settings.http_port, settings.grpc_port),
            authenticator=authenticator,
            policy=transaction_service.POLICY,
            # Core follows each transaction of a bag of thousands by a stream of its own, all on one connection.
            most_calls_per_connection=100_000,
        )
        server.add(
            transaction_service_pb2_grpc.add_TransactionServiceServicer_to_server,
            transaction_service.TransactionServicer(commands, chain, sender),
            transaction_service.SERVICE,
        )
        server.follow(health)
        await server.start()
        cleanup.push_async_callback(server.stop)
        log.info("adapter.ready", wallet=wallet.address, chain=settings.chain_id, hub=settings.hub_address)
        await lifetime.stopped()


def main() -> NoReturn:
    """Run the chain adapter."""
    run_service(
        ChainAdapterSettings,
        serve,
        name="workerpool-chain-adapter",
        about="Sends the pool owner's transactions (initialize, finalize, reopen, claim) once each.",
    )


if __name__ == "__main__":
    main()
