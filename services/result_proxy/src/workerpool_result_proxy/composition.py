"""Composition root: build every object, connect it by constructor arguments, run until the process stops."""

from contextlib import AsyncExitStack

from workerpool_kit.access.authenticators import BearerAuthenticator
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import Clock, SystemClock
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import Lifetime, version_of
from workerpool_kit.targets import grpc_port
from workerpool_poco.chain.hub import HubClient
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc as pb_grpc

from workerpool_result_proxy import startup
from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.adapters.hub_chain import HubView
from workerpool_result_proxy.adapters.mongo.documents import MODELS
from workerpool_result_proxy.adapters.mongo.gridfs_archives import GridFsArchives
from workerpool_result_proxy.adapters.mongo.signing_keys import MongoKeyStore
from workerpool_result_proxy.adapters.mongo.store import MongoStore
from workerpool_result_proxy.api.http_routes import routes
from workerpool_result_proxy.api.result_service import POLICY, SERVICE, ResultServicer
from workerpool_result_proxy.app.issue_token import IssueToken
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.app.receive import StreamLimits
from workerpool_result_proxy.app.upload import UploadLimits, UploadResult, purge_orphans
from workerpool_result_proxy.settings import ResultProxySettings

NAME = "workerpool-result-proxy"

log = get_logger()


async def serve(settings: ResultProxySettings, lifetime: Lifetime) -> None:
    """Serve uploads and downloads until the process is asked to stop."""
    async with AsyncExitStack() as cleanup:
        health, clock = Health(), SystemClock()

        database = await Database.connect(settings, models=MODELS)
        cleanup.push_async_callback(database.close)
        health.set("database", True)
        store, archives = MongoStore(database), GridFsArchives(database)
        await archives.prepare()
        await purge_orphans(store, archives)

        threads = FileThreads()
        cleanup.callback(threads.close)
        workspace = startup.open_workspace(settings, threads)
        cleanup.callback(workspace.close)

        hub = HubClient(settings.node_url, settings.hub_address, chain_id=settings.chain_id, attempts=2)
        cleanup.push_async_callback(hub.close)
        chain = HubView(hub, health)
        lifetime.spawn(chain.watch(), "chain-watch")

        tokens = build_tokens(settings, database, clock)
        issue_token = IssueToken(chain, store, tokens, clock, only_pool=settings.pool_address)
        uploads = UploadResult(chain, store, archives, workspace, clock, upload_limits(settings))
        results = ReadResult(store, archives)

        grpc_server = GrpcServer(
            grpc_port(settings.http_port, settings.grpc_port),
            authenticator=BearerAuthenticator(tokens.verify),
            policy=POLICY,
        )
        grpc_server.add(
            pb_grpc.add_ResultServiceServicer_to_server,
            ResultServicer(issue_token, uploads, results),
            SERVICE,
        )
        await grpc_server.start()
        grpc_server.follow(health)
        cleanup.push_async_callback(grpc_server.stop)

        http_server = HttpServer(
            settings.http_port,
            health=health,
            version=version_of(ResultProxySettings),
            routes=routes(results),
        )
        await http_server.start()
        cleanup.push_async_callback(http_server.stop)

        log.info("process.started", http_port=http_server.port, grpc_port=grpc_server.port)
        await lifetime.stopped()


def build_tokens(settings: ResultProxySettings, database: Database, clock: Clock) -> Tokens:
    """Return the token issuer; a key stays until the last token that it signed has expired."""
    return Tokens(
        MongoKeyStore(database, keep_s=2 * settings.token_lifetime),
        issuer=NAME,
        audience=NAME,
        lifetime_s=settings.token_lifetime,
        rotate_after_s=settings.token_lifetime,
        clock=clock,
    )


def upload_limits(settings: ResultProxySettings) -> UploadLimits:
    """Return the limits of uploads that the settings ask for."""
    return UploadLimits(
        max_size=settings.max_size,
        slots=settings.max_uploads,
        slot_wait_s=settings.upload_wait,
        # A node is rarely more than a block behind: wait two blocks, within a caller's timeout.
        reveal_wait_s=min(max(2 * settings.block_time, 2.0), 10.0),
        reveal_poll_s=min(max(settings.block_time / 4, 0.1), 0.5),
        stream=StreamLimits(idle_s=settings.upload_idle),
    )
