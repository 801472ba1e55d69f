"""The composition root: builds every object, connects them by constructor arguments, runs until the process stops."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from starlette.routing import Route
from workerpool_kit.chain.node_calls import NodeCalls
from workerpool_kit.chain.verified_node import NodeErrors, VerifiedNode
from workerpool_kit.clock import SystemClock
from workerpool_kit.dependencies.database import database_dependency, open_database
from workerpool_kit.dependencies.disk_floor import DiskFloor
from workerpool_kit.dependencies.report import DependencyReport
from workerpool_kit.dependencies.watch import start_watching
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database
from workerpool_kit.mongo.outages import retry_outages
from workerpool_kit.process import Lifetime
from workerpool_kit.serving import new_grpc_server, open_grpc, open_http
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.errors import HubNotFound, PocoError, WrongChain
from workerpool_protocol.sms.v1 import secret_service_pb2_grpc, tee_service_pb2_grpc

from workerpool_sms import startup
from workerpool_sms.adapters.backup_folder import BackupFolder
from workerpool_sms.adapters.enclave_keys import new_enclave_key
from workerpool_sms.adapters.encryption.envelope import Envelope
from workerpool_sms.adapters.encryption.key_file import KeyFile
from workerpool_sms.adapters.hub_chain import HubView
from workerpool_sms.adapters.ipfs_gateway import IpfsGateway
from workerpool_sms.adapters.mongo.documents import MODELS
from workerpool_sms.adapters.mongo.dump import MongoDump
from workerpool_sms.adapters.mongo.sealed_rows import MongoSealedRows
from workerpool_sms.adapters.mongo.stores import MongoChallenges, MongoSecrets, MongoSessions
from workerpool_sms.api.grpc import secret_service, tee_service
from workerpool_sms.api.http import admin_routes, secret_routes, tee_routes
from workerpool_sms.app.backups import AdminAccess, Backups
from workerpool_sms.app.enclave_challenges import EnclaveChallenges
from workerpool_sms.app.gate import Gate
from workerpool_sms.app.maintenance import KeyRotation, MetricsRefresh, repeat
from workerpool_sms.app.ports import ChainView
from workerpool_sms.app.secret_owners import SecretOwners
from workerpool_sms.app.secrets import ExistenceCache, Secrets
from workerpool_sms.app.session_challenges import SessionChallenges
from workerpool_sms.app.session_inputs import SessionInputReader
from workerpool_sms.app.sessions import Sessions
from workerpool_sms.app.unattested_sessions import UnattestedSessions
from workerpool_sms.domain.frameworks import FrameworkProperties
from workerpool_sms.metrics import SecretMetrics
from workerpool_sms.settings import SmsSettings

NAME = "workerpool-sms"
_PURGE_EVERY_S, _COUNT_EVERY_S, _ROTATE_EVERY_S = 3_600.0, 30.0, 5.0

log = get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """The use cases of the SMS for both ports and the background."""

    properties: FrameworkProperties
    secrets: Secrets
    enclave_challenges: EnclaveChallenges
    session_challenges: SessionChallenges
    sessions: Sessions
    unattested: UnattestedSessions
    access: AdminAccess
    backups: Backups
    owners: SecretOwners
    rotation: KeyRotation
    metrics_refresh: MetricsRefresh


async def serve(settings: SmsSettings, lifetime: Lifetime) -> None:
    """Serve secrets, challenges and sessions until the process must stop."""
    properties, keys = startup.open_properties(settings), startup.open_key_file(settings)
    async with AsyncExitStack() as cleanup:
        health = Health()
        stored = DependencyReport(health, database_dependency(settings))
        reported = DependencyReport(health, startup.node_dependency(settings))
        http = await open_http(settings, health, cleanup, for_browsers=True)
        database = await open_database(settings, stored, lifetime, cleanup, models=MODELS)
        rows = MongoSealedRows(database)
        await retry_outages(lambda: startup.check_keys(keys, rows))

        hub = HubClient(
            settings.node_url,
            settings.hub_address,
            chain_id=settings.chain_id,
            attempts=2,
            traffic=Traffic(calls_per_s=settings.node_calls_per_s, observer=NodeCalls()),
        )
        cleanup.push_async_callback(hub.close)
        node = VerifiedNode(
            reported,
            connect=hub.connect,
            probe=hub.block_number,
            errors=NodeErrors(PocoError, WrongChain, HubNotFound),
        )
        start_watching(lifetime, cleanup, node.watch(), "chain")

        parts = build(settings, database, keys, HubView(hub, node), properties)
        start_maintenance(parts, lifetime, cleanup)
        server = grpc_server(settings, parts)
        await open_grpc(server, settings, health, http, cleanup)
        # The HTTP server has reported health from the start; it serves secrets from here on.
        http.add_routes(http_routes(parts))
        log.info(
            "process.started",
            http_port=http.port,
            grpc_port=server.port,
            audience=settings.audience,
            framework=settings.framework.label,
            unattested=settings.allow_unattested_sessions,
        )
        if settings.allow_unattested_sessions:
            log.warning(
                "sessions.unattested_allowed",
                variable="WORKERPOOL_SMS_ALLOW_UNATTESTED_SESSIONS",
                problem="any holder of a session id can read the secrets of its task; never set this outside a test",
            )
        await lifetime.stopped()


def build(
    settings: SmsSettings,
    database: Database,
    keys: KeyFile,
    chain: ChainView,
    properties: FrameworkProperties,
) -> Parts:
    """Return the use cases over a database, a loaded key file and a chain."""
    clock, gate, cache, counts = SystemClock(), Gate(), ExistenceCache(), SecretMetrics()
    vault, stored = Envelope(keys), MongoSecrets(database)
    disk = DiskFloor(database.free_bytes, settings.min_free)
    secrets = Secrets(stored, vault, chain, gate, counts, cache, disk, limits=settings.secret_limits)
    challenges = MongoChallenges(database)
    enclave_challenges = EnclaveChallenges(
        challenges,
        vault,
        chain,
        gate,
        counts,
        clock,
        framework=properties.framework,
        new_key=new_enclave_key,
    )
    session_challenges = SessionChallenges(vault, clock, audience=settings.audience)
    unattested = UnattestedSessions(
        MongoSessions(database), vault, gate, clock, disk, base_url=settings.audience
    )
    sessions = Sessions(
        chain,
        session_challenges,
        enclave_challenges,
        SessionInputReader(secrets, chain, IpfsGateway(settings.ipfs_gateway)),
        unattested,
        gate,
        clock,
        properties=properties,
        allow_unattested=settings.allow_unattested_sessions,
    )
    return Parts(
        properties=properties,
        secrets=secrets,
        enclave_challenges=enclave_challenges,
        session_challenges=session_challenges,
        sessions=sessions,
        unattested=unattested,
        access=AdminAccess(settings.admin_api_key),
        backups=Backups(MongoDump(database), BackupFolder(settings.admin_storage), keys, gate, cache),
        owners=SecretOwners(stored, chain, gate, cache),
        rotation=KeyRotation(MongoSealedRows(database), vault, gate, keys.reload),
        metrics_refresh=MetricsRefresh(stored, challenges, cache, counts),
    )


def start_maintenance(parts: Parts, lifetime: Lifetime, cleanup: AsyncExitStack) -> None:
    """Start the background maintenance, which ends before the database is closed."""
    for action, every_s, name in (
        (parts.enclave_challenges.purge, _PURGE_EVERY_S, "purge of challenges"),
        (parts.unattested.purge, _PURGE_EVERY_S, "purge of sessions"),
        (parts.rotation.run, _ROTATE_EVERY_S, "rotation of keys"),
        (parts.metrics_refresh.refresh, _COUNT_EVERY_S, "counts"),
    ):
        start_watching(lifetime, cleanup, repeat(action, every_s, name), name)


def http_routes(parts: Parts) -> list[Route]:
    """Return the routes of the HTTP port."""
    return [
        *secret_routes.routes(parts.secrets),
        *tee_routes.routes(
            parts.properties,
            parts.enclave_challenges,
            parts.session_challenges,
            parts.sessions,
            parts.unattested,
        ),
        *admin_routes.routes(parts.access, parts.backups, parts.owners),
    ]


def grpc_server(settings: SmsSettings, parts: Parts) -> GrpcServer:
    """Return the gRPC server with both services; each method is public, and each write is signed."""
    server = new_grpc_server(settings, policy=secret_service.POLICY | tee_service.POLICY)
    server.add(
        secret_service_pb2_grpc.add_SecretServiceServicer_to_server,
        secret_service.SecretServicer(parts.secrets),
        secret_service.SERVICE,
    )
    server.add(
        tee_service_pb2_grpc.add_TeeServiceServicer_to_server,
        tee_service.TeeServicer(
            parts.properties, parts.enclave_challenges, parts.session_challenges, parts.sessions
        ),
        tee_service.SERVICE,
    )
    return server
