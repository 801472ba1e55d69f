"""Composition root: create and connect all objects, and run until the process stops."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from workerpool_kit.access.authenticators import OPERATOR, BasicAuthenticator
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import read_chain_config
from workerpool_kit.chain.node_calls import NodeCalls
from workerpool_kit.clock import SystemClock
from workerpool_kit.dependencies.report import Dependency, DependencyProblem, DependencyReport
from workerpool_kit.dependencies.volume import journal_waits
from workerpool_kit.dependencies.watch import start_watching, watch
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.process import Lifetime, StartupError
from workerpool_kit.runtime.tasks import end_tasks
from workerpool_kit.serving import new_grpc_server, open_grpc, open_http
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.rpc import without_secrets
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import address
from workerpool_protocol.order_publisher.v1 import offer_service_pb2_grpc

from workerpool_order_publisher import live_settings, startup
from workerpool_order_publisher.adapters.chain_adapter import ChainAdapterCanceller
from workerpool_order_publisher.adapters.core_supply import CoreSupply
from workerpool_order_publisher.adapters.hub_chain import HubChain
from workerpool_order_publisher.adapters.market.http_market import HttpMarket
from workerpool_order_publisher.adapters.market.market_http import MarketHttp
from workerpool_order_publisher.adapters.market.order_signer import OrderSigner
from workerpool_order_publisher.adapters.platform_enclaves import PlatformEnclaves
from workerpool_order_publisher.adapters.sqlite_journal import SqliteJournal
from workerpool_order_publisher.api import offer_service
from workerpool_order_publisher.app.book import Book
from workerpool_order_publisher.app.core_feed import CoreFeed
from workerpool_order_publisher.app.offers import Offers
from workerpool_order_publisher.app.publisher import Ports, Publisher, Timing
from workerpool_order_publisher.domain.limits import Cancel, Limits
from workerpool_order_publisher.errors import JournalUnusable
from workerpool_order_publisher.settings import OrderPublisherSettings

log = get_logger()


class HealthReport:
    """Reports the health of one dependency from sentences. Implements the `Reporter` port."""

    def __init__(self, report: DependencyReport) -> None:
        self._report = report

    def works(self) -> None:
        """Record that it works."""
        self._report.works()

    def fails(self, problem: str) -> None:
        """Record why it does not work."""
        self._report.fails(DependencyProblem(problem))


async def serve(settings: OrderPublisherSettings, lifetime: Lifetime) -> None:
    """Keep the pool's orders on the market until the process is asked to stop. Raises StartupError."""
    # Check the file before anything is opened.
    settings = live_settings.read_at_start(settings)
    health = Health()
    reports = {
        dependency.component: DependencyReport(health, dependency) for dependency in dependencies(settings)
    }
    publisher: Publisher | None = None
    async with AsyncExitStack() as cleanup:
        http = await open_http(settings, health, cleanup)
        server = grpc_server(settings, lambda: Offers() if publisher is None else publisher.offers)
        await open_grpc(server, settings, health, http, cleanup)
        wallet = await startup.open_wallet(settings)
        config = await read_chain_config(
            settings.config_server_url,
            source="IEXEC_CONFIG_SERVER_URL",
            on_failure=lambda error: reports["chain"].fails(DependencyProblem(str(error))),
        )
        hub = hub_client(settings, config)
        cleanup.push_async_callback(hub.close)
        ratio = await startup.connect_chain(hub, settings, wallet, reports["chain"])
        journal = await open_journal(settings, config, health, lifetime)
        cleanup.push_async_callback(journal.close)
        cancel = cancel_of(settings, config)
        canceller = chain_adapter(settings, health, lifetime, cleanup) if cancel is not Cancel.NEVER else None
        publisher = await start_publisher(
            settings, lifetime, cleanup, reports, hub, wallet, journal, ratio, canceller, cancel
        )
        log.info(
            "publisher.started", pool=settings.pool_address, market=settings.market_url, cancels=str(cancel)
        )
        await lifetime.stopped()


def dependencies(settings: OrderPublisherSettings) -> list[Dependency]:
    """Return the dependencies of the publisher, with the variables and the next steps for its operator."""
    return [
        Dependency(
            "market", "MARKET_API_URL", settings.market_url, "wait for the market or correct the variable"
        ),
        Dependency("core", "IEXEC_CORE_URL", settings.core_url, "start core or correct the variable"),
        Dependency(
            "chain",
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
            without_secrets(settings.node_url) if settings.node_url else settings.config_server_url,
            "start the node and the config server, or correct the variables",
        ),
        Dependency(
            "stake",
            "WORKERPOOL_PRICE",
            settings.pool_address,
            "deposit RLC in the hub with the pool owner's wallet, or lower the price",
        ),
    ]


def hub_client(settings: OrderPublisherSettings, config: ChainConfig) -> HubClient:
    """Return the client of the hub, not connected yet."""
    traffic = Traffic(calls_per_s=settings.node_calls_per_s, observer=NodeCalls())
    node_url = settings.node_url or config.node_url
    return HubClient(node_url, address(config.hub_address), chain_id=config.chain_id, traffic=traffic)


async def open_journal(
    settings: OrderPublisherSettings, config: ChainConfig, health: Health, lifetime: Lifetime
) -> SqliteJournal:
    """Open the journal of this pool on this chain; health reports a full volume. Raises StartupError."""
    journal = SqliteJournal(
        settings.journal,
        on_failure=lifetime.fail,
        on_wait=journal_waits(health, "ORDER_PUBLISHER_JOURNAL", settings.journal),
    )
    pool = settings.pool_address
    try:
        await journal.open(f"pool {pool} on chain {config.chain_id}, hub {address(config.hub_address)}")
    except JournalUnusable as error:
        await journal.close()
        raise StartupError(f"{error}; check ORDER_PUBLISHER_JOURNAL") from error
    return journal


def cancel_of(settings: OrderPublisherSettings, config: ChainConfig) -> Cancel:
    """Return which withdrawn orders are cancelled on chain; by default all where gas is free, otherwise none."""
    if settings.cancel is not None:
        return settings.cancel
    return Cancel.ALWAYS if config.sidechain and settings.chain_adapter_password is not None else Cancel.NEVER


def chain_adapter(
    settings: OrderPublisherSettings, health: Health, lifetime: Lifetime, cleanup: AsyncExitStack
) -> ChainAdapterCanceller:
    """Return the client of the chain adapter, and watch its health. Raises StartupError for a malformed URL."""
    assert settings.chain_adapter_password is not None, "the settings require it"
    try:
        client = ChainAdapterCanceller(
            settings.chain_adapter_url,
            (settings.chain_adapter_username, settings.chain_adapter_password.get_secret_value()),
            settings.pool_address,
            target=settings.chain_adapter_grpc,
        )
    except ValueError as error:
        raise StartupError(f"ORDER_PUBLISHER_CHAIN_ADAPTER_URL: {error}") from error
    cleanup.push_async_callback(client.close)
    adapter = Dependency(
        "adapter",
        "ORDER_PUBLISHER_CHAIN_ADAPTER_URL",
        settings.chain_adapter_url,
        "start the chain adapter or correct the variable",
    )
    start_watching(lifetime, cleanup, watch(DependencyReport(health, adapter), client.probe), "adapter")
    return client


async def start_publisher(
    settings: OrderPublisherSettings,
    lifetime: Lifetime,
    cleanup: AsyncExitStack,
    reports: dict[str, DependencyReport],
    hub: HubClient,
    wallet: Wallet,
    journal: SqliteJournal,
    worker_stake_ratio: int,
    canceller: ChainAdapterCanceller | None,
    cancel: Cancel,
) -> Publisher:
    """Start the publisher and the stream of core; `cleanup` stops both, and withdraws the orders if so configured."""
    clock, limits, pool = SystemClock(), limits_of(settings, cancel), settings.pool_address
    book = Book(journal)
    await book.load()
    if canceller is None:
        await book.drop_cancellations()
    feed = CoreFeed(clock)
    market_http = MarketHttp(settings.market_url, hub.chain_id)
    cleanup.push_async_callback(market_http.close)
    ports = Ports(
        market=HttpMarket(market_http, wallet, pool, hub.order_domain),
        chain=HubChain(hub, wallet.address),
        signer=OrderSigner(wallet, pool, hub.order_domain),
        enclaves=PlatformEnclaves(
            settings.platform_registry_url,
            settings.platform_registry_stack,
            settings.platform_registry_label,
        ),
        market_health=HealthReport(reports["market"]),
        chain_health=HealthReport(reports["chain"]),
        stake_health=HealthReport(reports["stake"]),
        canceller=canceller,
    )

    # Each contribution locks this share of the price (IexecPoco1 `workerStake`).
    def worker_stake(limits: Limits) -> int:
        return limits.prices[1] * worker_stake_ratio // 100

    timing = Timing(settings.publish_period_s, settings.check_period_s, settings.core_grace_s)
    publisher = Publisher(
        ports, book, feed, limits, clock, owner=wallet.address, timing=timing, paused=settings.paused
    )
    core = CoreSupply(
        settings.core_url,
        (settings.core_username, settings.core_password.get_secret_value()),
        worker_stake(limits),
        feed,
        reports["core"],
        target=settings.core_grpc,
    )
    cleanup.push_async_callback(core.close)
    following = lifetime.spawn(core.follow(), "supply")
    running = lifetime.spawn(publisher.run(), "orders")

    def change(changed: OrderPublisherSettings) -> None:
        limits = limits_of(changed, cancel)
        core.change_stake(worker_stake(limits))
        publisher.change(limits, paused=changed.paused)

    cleanup.callback(live_settings.on_hangup(settings, change))

    async def stop() -> None:
        await end_tasks(following, running)
        if settings.withdraw_on_stop:
            await publisher.stop()

    cleanup.push_async_callback(stop)
    return publisher


def limits_of(settings: OrderPublisherSettings, cancel: Cancel) -> Limits:
    """Return the limits in the settings."""
    return Limits(
        categories=settings.categories,
        prices=settings.prices,
        tag=settings.tag,
        trust=settings.trust,
        app=settings.app_restrict,
        dataset=settings.dataset_restrict,
        requester=settings.requester_restrict,
        volume=settings.volume,
        max_volume=settings.max_volume,
        max_orders=settings.max_orders,
        gpu_pool=settings.gpu_pool,
        cancel=cancel,
    )


def grpc_server(settings: OrderPublisherSettings, offers: Callable[[], Offers]) -> GrpcServer:
    """Return the gRPC server with its service added."""
    configured = settings.password is not None
    server = new_grpc_server(
        settings,
        authenticator=BasicAuthenticator(settings.username, settings.password, OPERATOR)
        if settings.password is not None
        else None,
        policy=offer_service.policy(operator_configured=configured),
    )
    server.add(
        offer_service_pb2_grpc.add_OfferServiceServicer_to_server,
        offer_service.OfferServicer(offers, operator_configured=configured),
        offer_service.SERVICE,
    )
    return server
