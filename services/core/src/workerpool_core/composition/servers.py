"""The gRPC server and the HTTP side port."""

from starlette.middleware.cors import CORSMiddleware
from workerpool_kit.access.authenticators import (
    AnyOf,
    Authenticator,
    BasicAuthenticator,
    BearerAuthenticator,
)
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.http.server import HttpServer
from workerpool_kit.targets import grpc_port
from workerpool_protocol.core.v1.pool_service_pb2_grpc import add_PoolServiceServicer_to_server
from workerpool_protocol.core.v1.task_service_pb2_grpc import add_TaskServiceServicer_to_server
from workerpool_protocol.core.v1.worker_service_pb2_grpc import add_WorkerServiceServicer_to_server

from workerpool_core.api import http_routes, pool_service, task_service, worker_service
from workerpool_core.composition.parts import Parts
from workerpool_core.settings import CoreSettings


async def open_ports(parts: Parts, tokens: Tokens) -> None:
    """Open both ports. Until the start is complete, each call is answered UNAVAILABLE with the step in progress."""
    parts.health.set("scheduler", False, reason="starting")
    settings, core = parts.settings, parts.core
    operator_configured = settings.operator_password is not None
    server = GrpcServer(
        grpc_port(settings.http_port, settings.grpc_port),
        authenticator=AnyOf(*_authenticators(settings, tokens)),
        policy=worker_service.POLICY
        | task_service.POLICY
        | pool_service.policy(operator_configured=operator_configured),
    )
    server.add(add_WorkerServiceServicer_to_server, worker_service.WorkerServicer(core), worker_service.NAME)
    server.add(add_TaskServiceServicer_to_server, task_service.TaskServicer(core), task_service.NAME)
    server.add(
        add_PoolServiceServicer_to_server,
        pool_service.PoolServicer(core, operator_configured=operator_configured),
        pool_service.NAME,
    )
    server.follow(parts.health)
    http = HttpServer(
        settings.http_port,
        health=parts.health,
        version=parts.version,
        routes=http_routes.routes(core, open_actuator=settings.actuator_open),
    )
    # Requesters' tools also run in browsers.
    http.app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"], allow_headers=["*"])
    await http.start()
    parts.stack.push_async_callback(http.stop)
    await server.start()
    parts.stack.push_async_callback(server.stop)


def _authenticators(settings: CoreSettings, tokens: Tokens) -> list[Authenticator]:
    """Return how callers identify themselves: workers by token, operators by password when one is set."""
    accepted: list[Authenticator] = [BearerAuthenticator(tokens.verify)]
    if (password := settings.operator_password) is not None:
        accepted.append(BasicAuthenticator(settings.operator_username, password, pool_service.OPERATOR_ROLE))
    return accepted
