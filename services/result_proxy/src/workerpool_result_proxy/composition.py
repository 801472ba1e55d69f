"""The composition root: builds every object, connects them by constructor arguments, runs until the process stops."""

from contextlib import AsyncExitStack

from workerpool_kit.access.authenticators import BearerAuthenticator
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.chain.node_calls import NodeCalls
from workerpool_kit.clock import Clock, SystemClock
from workerpool_kit.dependencies.database import database_dependency, open_database
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_kit.dependencies.volume import probe_volume, volume_dependency
from workerpool_kit.dependencies.watch import start_watching, watch
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database
from workerpool_kit.mongo.outages import retry_outages
from workerpool_kit.process import Lifetime
from workerpool_kit.runtime.memory import reuse_large_buffers
from workerpool_kit.runtime.tasks import end_tasks
from workerpool_kit.serving import new_grpc_server, open_grpc, open_http
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.traffic import Traffic
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc as pb_grpc

from workerpool_result_proxy import startup
from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.adapters.hub_chain import HubView
from workerpool_result_proxy.adapters.ipfs.ipfs_archives import IpfsArchives
from workerpool_result_proxy.adapters.ipfs.ipfs_content import KuboContent
from workerpool_result_proxy.adapters.ipfs.kubo import Kubo
from workerpool_result_proxy.adapters.mongo.documents import MODELS
from workerpool_result_proxy.adapters.mongo.gridfs_archives import GridFsArchives
from workerpool_result_proxy.adapters.mongo.signing_keys import MongoKeyStore
from workerpool_result_proxy.adapters.mongo.store import MongoStore
from workerpool_result_proxy.api.http_routes import routes
from workerpool_result_proxy.api.login_routes import login_routes
from workerpool_result_proxy.api.older_routes import older_routes
from workerpool_result_proxy.api.result_service import POLICY, SERVICE, ResultServicer
from workerpool_result_proxy.api.upload_route import upload_routes
from workerpool_result_proxy.app.challenge import Challenges
from workerpool_result_proxy.app.disk_reservations import DiskReservations
from workerpool_result_proxy.app.gateway import Gateway
from workerpool_result_proxy.app.issue_token import IssueToken
from workerpool_result_proxy.app.leases import LEASE_S, Leases, keep_tidy
from workerpool_result_proxy.app.login import Login
from workerpool_result_proxy.app.partial_uploads import PartialUploads
from workerpool_result_proxy.app.ports import Archives
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.app.receive import StreamLimits
from workerpool_result_proxy.app.upload import UploadLimits, UploadResult
from workerpool_result_proxy.settings import ResultProxySettings

NAME = "workerpool-result-proxy"

log = get_logger()


async def serve(settings: ResultProxySettings, lifetime: Lifetime) -> None:
    """Serve uploads and downloads until the process must stop."""
    reuse_large_buffers()
    async with AsyncExitStack() as cleanup:
        health, clock = Health(), SystemClock()
        stored = DependencyReport(health, database_dependency(settings))
        node = DependencyReport(health, startup.node_dependency(settings))
        http = await open_http(settings, health, cleanup, for_browsers=True)
        database = await open_database(settings, stored, lifetime, cleanup, models=MODELS)
        threads = FileThreads()
        cleanup.callback(threads.close)
        workspace, dead = startup.open_workspace(settings, threads)
        cleanup.callback(workspace.close)
        store = MongoStore(database, owner=workspace.owner, lease_s=LEASE_S)
        in_database = GridFsArchives(database)
        await retry_outages(in_database.prepare)
        kubo = await open_ipfs(settings, health, lifetime, cleanup)
        archives: Archives = IpfsArchives(kubo) if kubo else in_database
        stores = {each.storage: each for each in (in_database, archives)}
        leases = Leases(store, stores)
        volume = volume_dependency("workspace", "IEXEC_RESULT_PROXY_TEMP_DIR", settings.upload_folder)
        volume_watch = watch(DependencyReport(health, volume), lambda: probe_volume(settings.upload_folder))
        start_watching(lifetime, cleanup, volume_watch, "workspace")

        hub = HubClient(
            settings.node_url,
            settings.hub_address,
            chain_id=settings.chain_id,
            attempts=2,
            traffic=Traffic(calls_per_s=settings.node_calls_per_s, observer=NodeCalls()),
        )
        cleanup.push_async_callback(hub.close)
        chain = HubView(hub, node)
        start_watching(lifetime, cleanup, chain.watch(), "chain")

        tokens = build_tokens(settings, database, clock)
        challenges = Challenges(tokens, clock, audience=settings.audience)
        issue_token = IssueToken(chain, store, tokens, challenges, clock, only_pool=settings.pool_address)
        partials = PartialUploads(workspace, keep_s=settings.upload_keep, most=settings.max_uploads)
        cleanup.push_async_callback(partials.close)
        disks = DiskReservations(workspace.free_bytes, archives.free_bytes, floor=settings.min_free)
        uploads = UploadResult(
            chain, store, archives, leases, disks, partials, clock, upload_limits(settings)
        )
        results = ReadResult(store, stores)
        tidying = keep_tidy(leases, store, partials.purge, clock, dead=dead, retention_s=settings.retention)
        cleanup.push_async_callback(end_tasks, lifetime.spawn(tidying, "leases"))

        server = new_grpc_server(settings, policy=POLICY, authenticator=BearerAuthenticator(tokens.verify))
        server.add(
            pb_grpc.add_ResultServiceServicer_to_server,
            ResultServicer(settings.archive_rules, challenges, issue_token, uploads, results),
            SERVICE,
        )
        await open_grpc(server, settings, health, http, cleanup)

        # The HTTP server has reported health from the start; it serves results from here on.
        login = Login(tokens, clock, chain_id=settings.chain_id)
        http.add_routes(
            [
                *login_routes(login),
                *upload_routes(tokens, uploads),
                *older_routes(tokens, issue_token, uploads, results),
                *routes(results, Gateway(KuboContent(kubo) if kubo else None)),
            ]
        )
        log.info("process.started", http_port=http.port, grpc_port=server.port, audience=settings.audience)
        await lifetime.stopped()


async def open_ipfs(
    settings: ResultProxySettings, health: Health, lifetime: Lifetime, cleanup: AsyncExitStack
) -> Kubo | None:
    """Return the client of the IPFS node, and watch the node for health; None without a node."""
    if settings.ipfs_api is None:
        return None
    kubo = Kubo(settings.ipfs_api)
    cleanup.push_async_callback(kubo.close)
    report = DependencyReport(health, startup.ipfs_dependency(settings.ipfs_api))
    start_watching(lifetime, cleanup, watch(report, kubo.check), "ipfs")
    return kubo


def build_tokens(settings: ResultProxySettings, database: Database, clock: Clock) -> Tokens:
    """Return the token issuer; a key is kept until the last token that it signed has expired."""
    return Tokens(
        MongoKeyStore(database, keep_s=2 * settings.token_lifetime),
        issuer=NAME,
        audience=NAME,
        lifetime_s=settings.token_lifetime,
        rotate_after_s=settings.token_lifetime,
        clock=clock,
    )


def upload_limits(settings: ResultProxySettings) -> UploadLimits:
    """Return the limits of uploads in the settings."""
    return UploadLimits(
        max_size=settings.max_size,
        slots=settings.max_uploads,
        slot_wait_s=settings.upload_wait,
        # A node rarely lags by more than a block, so wait for two blocks, within a caller's timeout.
        reveal_wait_s=min(max(2 * settings.block_time, 2.0), 10.0),
        reveal_poll_s=min(max(settings.block_time / 4, 0.1), 0.5),
        stream=StreamLimits(idle_s=settings.upload_idle),
    )
