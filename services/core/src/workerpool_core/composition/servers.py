"""The gRPC server and the HTTP side port."""

from workerpool_kit import serving
from workerpool_kit.access.authenticators import (
    OPERATOR,
    AnyOf,
    Authenticator,
    BasicAuthenticator,
    BearerAuthenticator,
)
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.http.server import HttpServer
from workerpool_protocol.core.v1.deal_service_pb2_grpc import add_DealServiceServicer_to_server
from workerpool_protocol.core.v1.pool_service_pb2_grpc import add_PoolServiceServicer_to_server
from workerpool_protocol.core.v1.task_service_pb2_grpc import add_TaskServiceServicer_to_server
from workerpool_protocol.core.v1.worker_service_pb2_grpc import add_WorkerServiceServicer_to_server

from workerpool_core.api import deal_service, http_routes, pool_service, task_service, worker_service
from workerpool_core.api.operator_page.routes import operator_page_routes
from workerpool_core.api.pool_service import PoolServicer
from workerpool_core.app.operators.sessions import OperatorSessions
from workerpool_core.composition.parts import Parts
from workerpool_core.settings import CoreSettings


async def open_http(parts: Parts) -> HttpServer:
    """Open the HTTP port; until the start is complete, each call gets 503 with the step in progress."""
    parts.health.set("scheduler", False, reason="starting")
    settings, core = parts.settings, parts.core
    routes = [
        *http_routes.routes(core, open_actuator=settings.actuator_open),
        *operator_page_routes(
            core,
            _operator_sessions(parts),
            PoolServicer(core, operator_configured=settings.operator_password is not None),
            parts.health,
            parts.version,
        ),
    ]
    return await serving.open_http(settings, parts.health, parts.stack, routes=routes, for_browsers=True)


async def open_grpc(parts: Parts, tokens: Tokens, http: HttpServer) -> None:
    """Open the gRPC port; until the start is complete, each call gets UNAVAILABLE with the step in progress."""
    settings, core = parts.settings, parts.core
    operator_configured = settings.operator_password is not None
    server = serving.new_grpc_server(
        settings,
        authenticator=AnyOf(*_authenticators(settings, tokens)),
        policy=worker_service.POLICY
        | deal_service.POLICY
        | task_service.policy(operator_configured=operator_configured)
        | pool_service.policy(operator_configured=operator_configured),
    )
    server.add(add_WorkerServiceServicer_to_server, worker_service.WorkerServicer(core), worker_service.NAME)
    server.add(
        add_TaskServiceServicer_to_server,
        task_service.TaskServicer(core, operator_configured=operator_configured),
        task_service.NAME,
    )
    server.add(add_DealServiceServicer_to_server, deal_service.DealServicer(core), deal_service.NAME)
    server.add(
        add_PoolServiceServicer_to_server,
        pool_service.PoolServicer(core, operator_configured=operator_configured),
        pool_service.NAME,
    )
    await serving.open_grpc(server, settings, parts.health, http, parts.stack)


def _operator_sessions(parts: Parts) -> OperatorSessions:
    """Return the sessions of the page, with the same user name and password as the gRPC methods."""
    settings = parts.settings
    password = settings.operator_password
    return OperatorSessions(
        parts.clock, settings.operator_username, password.get_secret_value() if password is not None else None
    )


def _authenticators(settings: CoreSettings, tokens: Tokens) -> list[Authenticator]:
    """Return the authenticators: bearer tokens for workers, and a password for operators when one is set."""
    accepted: list[Authenticator] = [BearerAuthenticator(tokens.verify)]
    if (password := settings.operator_password) is not None:
        accepted.append(BasicAuthenticator(settings.operator_username, password, OPERATOR))
    return accepted
