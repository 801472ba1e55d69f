"""Wiring of the result proxy: ``python -m workerpool_result_proxy``."""

from contextlib import AsyncExitStack
from importlib.metadata import version

import structlog
from workerpool_kit.access.authenticators import BearerAuthenticator
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.clock import SystemClock
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.mongo import Database
from workerpool_kit.process import Lifetime, StartupError, run_service
from workerpool_kit.targets import grpc_port
from workerpool_poco.chain.hub import HubClient
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc as pb_grpc

from workerpool_result_proxy.adapters.file_threads import FileThreads
from workerpool_result_proxy.adapters.gridfs_archives import GridFsArchives
from workerpool_result_proxy.adapters.hub_chain import HubView
from workerpool_result_proxy.adapters.mongo_store import MODELS, MongoKeyStore, MongoStore
from workerpool_result_proxy.adapters.upload_file import Patience
from workerpool_result_proxy.adapters.workspace import Workspace
from workerpool_result_proxy.api.http_routes import routes
from workerpool_result_proxy.api.result_service import POLICY, SERVICE, ResultServicer
from workerpool_result_proxy.app.issue_token import IssueToken
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.app.upload import UploadLimits, UploadResult, purge_orphans
from workerpool_result_proxy.domain.archive_rules import ArchiveLimits
from workerpool_result_proxy.settings import ResultProxySettings

NAME = "workerpool-result-proxy"
ABOUT = "keeps result archives that match what a worker revealed on chain, and hands them out to everybody."

log = structlog.get_logger()


async def serve(settings: ResultProxySettings, lifetime: Lifetime) -> None:
    """Start everything, run until the process is asked to stop, take everything down again."""
    async with AsyncExitStack() as stack:
        health = Health()
        clock = SystemClock()

        database = await Database.connect(settings, models=MODELS)
        stack.push_async_callback(database.close)
        health.set("database", True)
        store, archives = MongoStore(database), GridFsArchives(database)
        await archives.prepare()
        await purge_orphans(store, archives)

        threads = FileThreads()
        stack.callback(threads.close)
        workspace = _open_workspace(settings, threads)
        stack.callback(workspace.close)

        hub = HubClient(settings.node_url, settings.hub_address, chain_id=settings.chain_id, attempts=2)
        stack.push_async_callback(hub.close)
        chain = HubView(hub, health)
        lifetime.spawn(chain.watch(), "chain-watch")

        tokens = Tokens(
            MongoKeyStore(database, keep_s=2 * settings.token_lifetime),
            issuer=NAME,
            audience=NAME,
            lifetime_s=settings.token_lifetime,
            rotate_after_s=settings.token_lifetime,
            clock=clock,
        )
        issue_token = IssueToken(chain, store, tokens, clock, only_pool=settings.pool_address)
        uploads = UploadResult(chain, store, archives, workspace, threads, clock, upload_limits(settings))
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
        stack.push_async_callback(grpc_server.stop)

        http_side = HttpServer(
            settings.http_port, health=health, version=version(NAME), routes=routes(results)
        )
        await http_side.start()
        stack.push_async_callback(http_side.stop)

        log.info("process.started", http_port=http_side.port, grpc_port=grpc_server.port)
        await lifetime.stopped()


def upload_limits(settings: ResultProxySettings) -> UploadLimits:
    """Return the bounds of uploads that the settings ask for."""
    return UploadLimits(
        max_size=settings.max_size,
        archive=ArchiveLimits(max_bytes=settings.max_unpacked_size),
        places=settings.max_uploads,
        place_wait_s=settings.upload_wait,
        # A node is rarely more than a block behind; two, but never longer than a caller's patience.
        reveal_wait_s=min(max(2 * settings.block_time, 2.0), 10.0),
        reveal_poll_s=min(max(settings.block_time / 4, 0.1), 0.5),
        patience=Patience(idle_s=settings.upload_idle),
    )


def _open_workspace(settings: ResultProxySettings, threads: FileThreads) -> Workspace:
    workspace = Workspace(settings.temp_dir, threads)
    try:
        workspace.open()
    except OSError as error:
        raise StartupError(
            f"cannot write to {settings.temp_dir} ({error.strerror}); set IEXEC_RESULT_PROXY_TEMP_DIR to another folder"
        ) from error
    return workspace


def main() -> None:
    """Be the console script."""
    run_service(ResultProxySettings, serve, name=NAME, about=ABOUT)


if __name__ == "__main__":
    main()
