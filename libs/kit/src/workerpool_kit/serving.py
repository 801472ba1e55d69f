"""The two ports of a service: HTTP from the start, to serve health, and gRPC once calls can be answered."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Protocol

from starlette.routing import BaseRoute

from workerpool_kit.access.authenticators import Authenticator
from workerpool_kit.access.callers import TrustedProxies
from workerpool_kit.grpc.guard import Policy
from workerpool_kit.grpc.server import GrpcServer
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_kit.process import version_of
from workerpool_kit.settings.base import Settings
from workerpool_kit.targets import grpc_port


class ServiceSettings(Protocol):
    """What `Settings` and the service's own names of its ports say about both ports."""

    @property
    def http_port(self) -> int:
        """The HTTP port; 0 means any free one."""

    @property
    def http_bind(self) -> str:
        """The address that it listens on."""

    @property
    def grpc_port(self) -> int | None:
        """The gRPC port; None means the HTTP port + 10,000."""

    @property
    def grpc_bind(self) -> str:
        """The address that it listens on."""

    @property
    def grpc_public_target(self) -> str | None:
        """The gRPC address as clients reach it, if a reverse proxy changes it."""

    @property
    def trusted_proxies(self) -> str:
        """The reverse proxies that name the address of a caller behind them."""


async def open_http(
    settings: ServiceSettings,
    health: Health,
    cleanup: AsyncExitStack,
    *,
    routes: Sequence[BaseRoute] = (),
    for_browsers: bool = False,
) -> HttpServer:
    """Open the HTTP port until `cleanup` closes it; `HttpServer.add_routes` adds what is served later.

    Raises StartupError when the port is taken.
    """
    assert isinstance(settings, Settings), "the version is that of the package of the settings"
    server = HttpServer(
        settings.http_port,
        host=settings.http_bind,
        health=health,
        version=version_of(type(settings)),
        routes=routes,
        for_browsers=for_browsers,
        proxies=settings.trusted_proxies,
    )
    await server.start()
    cleanup.push_async_callback(server.stop)
    return server


def new_grpc_server(
    settings: ServiceSettings, *, policy: Policy, authenticator: Authenticator | None = None
) -> GrpcServer:
    """Return the gRPC server of a service; add its servicers, then open it."""
    return GrpcServer(
        grpc_port(settings.http_port, settings.grpc_port),
        host=settings.grpc_bind,
        authenticator=authenticator,
        policy=policy,
        proxies=TrustedProxies(settings.trusted_proxies),
    )


async def open_grpc(
    server: GrpcServer, settings: ServiceSettings, health: Health, http: HttpServer, cleanup: AsyncExitStack
) -> None:
    """Open the gRPC port until `cleanup` closes it; it serves `health`, and the HTTP port reports its address.

    Raises StartupError when the port is taken.
    """
    server.follow(health)
    await server.start()
    cleanup.push_async_callback(server.stop)
    http.tell_grpc(server.port, settings.grpc_public_target)
