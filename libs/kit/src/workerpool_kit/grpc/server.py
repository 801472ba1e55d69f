"""A gRPC server that is safe by default: each method has a policy, messages are validated, errors are mapped."""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2_grpc

from workerpool_kit.access.authenticators import ANYONE, Authenticator
from workerpool_kit.access.callers import TrustedProxies
from workerpool_kit.grpc.guard import CallGuard, Policy
from workerpool_kit.grpc.health import SERVICE_NAME as HEALTH_SERVICE
from workerpool_kit.grpc.health import HealthServicer
from workerpool_kit.grpc.reflection import add_reflection
from workerpool_kit.grpc.validation import compile_rules
from workerpool_kit.health import Health
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.targets import host_and_port
from workerpool_kit.tls.identity import identity

log = get_logger()

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_FRAME_BYTES = 256 * 1024
"""Frame of HTTP/2 that a peer may send. The default, 16 KiB, cuts a piece of an archive into 64 parts, and each costs
both sides processor time."""
MAX_CALLS_PER_CONNECTION = 200
"""Calls that one connection may carry at once. A call costs 20 KiB before its request arrives, from any caller.
A client that starts more calls before it has read this limit gets some of them refused."""


class GrpcServer:
    """Serves the added services on one port (0 means any free port; `port` holds it after `start`).

    `policy` names the roles of every method of every added service (`ANYONE`: no identity needed); the server does not
    start with a method without a policy. Health and reflection are always served and public. Each public streaming
    method serves at most `max_open_streams` streams at once; a stream costs about 30 KiB. A connection carries at most
    `max_calls_per_connection` calls at once, and clients queue further ones: a call costs 20 KiB before its request
    arrives.

    An address that sends too many wrong passwords waits; `proxies` are the reverse proxies that name the address of a
    caller behind them.
    """

    def __init__(
        self,
        port: int,
        *,
        host: str,
        authenticator: Authenticator | None = None,
        policy: Policy,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        default_deadline_s: float = 30,
        max_open_streams: int = 2_000,
        max_calls_per_connection: int = MAX_CALLS_PER_CONNECTION,
        proxies: TrustedProxies | None = None,
    ) -> None:
        self.port = port
        self._host = host
        self._policy = policy
        self._options = _options(max_message_bytes, max_calls_per_connection)
        self._guard = CallGuard(
            authenticator, policy, default_deadline_s, max_open_streams, proxies or TrustedProxies()
        )
        self._has_authenticator = authenticator is not None
        self._services: dict[str, tuple[Callable[[Any, Any], None], object]] = {}
        self._health = HealthServicer()
        self._server: grpc.aio.Server | None = None

    def add(
        self, add_to_server_fn: Callable[[Any, Any], None], servicer: object, service_full_name: str
    ) -> None:
        """Add a servicer with the generated `add_…Servicer_to_server` function and the service's full name."""
        self._services[service_full_name] = (add_to_server_fn, servicer)

    async def start(self) -> None:
        """Start serving.

        Raises ValueError for a policy that does not match the services, UnsupportedRule for an unknown validation rule,
        StartupError for a taken port.
        """
        self._check_policy()
        server = grpc.aio.server(interceptors=[self._guard], options=self._options)
        for name, (add_to_server, servicer) in self._services.items():
            add_to_server(servicer, server)
            self._health.set_default(name, True)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        add_reflection((*self._services, HEALTH_SERVICE), server)
        try:
            self.port = self._open_port(server)
        except RuntimeError:
            await server.stop(None)
            raise StartupError(
                f"cannot listen on {host_and_port(self._host, self.port)} for gRPC: the port is taken or not allowed; "
                "stop what uses it or set another port"
            ) from None
        await server.start()
        self._server = server
        log.info(
            "grpc.server_started",
            host=self._host,
            port=self.port,
            tls=identity().serves_tls,
            services=sorted(self._services),
        )

    def _open_port(self, server: grpc.aio.Server) -> int:
        """Open the port, with TLS when the process has a certificate; `::` admits IPv4 too."""
        address = host_and_port(self._host, self.port)
        credentials = identity().server_credentials()
        if credentials is None:
            return int(server.add_insecure_port(address))
        return int(server.add_secure_port(address, credentials))

    async def stop(self, grace_s: float = 5) -> None:
        """Refuse new calls, and cancel running ones after `grace_s` seconds."""
        if self._server is not None:
            server, self._server = self._server, None
            self._health.close()
            await server.stop(grace_s)

    def set_health(self, service: str, serving: bool) -> None:
        """Set the health of a service by its full name; "" is the whole process."""
        self._health.set(service, serving)

    def follow(self, health: Health) -> None:
        """Report `health` as the health of the process and of every added service."""

        def update() -> None:
            for name in ("", *self._services):
                self._health.set(name, health.is_up)

        health.on_change(update)
        update()

    def _check_policy(self) -> None:
        served: set[str] = set()
        for name in self._services:
            service = descriptor_pool.Default().FindServiceByName(name)
            for method in service.methods:
                served.add(f"/{name}/{method.name}")
                compile_rules(method.input_type)
        missing, unknown = sorted(served - set(self._policy)), sorted(set(self._policy) - served)
        if missing:
            raise ValueError(f"no policy for {', '.join(missing)}")
        if unknown:
            raise ValueError(f"policy for methods that are not served: {', '.join(unknown)}")
        closed = sorted(method for method, roles in self._policy.items() if ANYONE not in roles)
        if closed and not self._has_authenticator:
            raise ValueError(
                f"no caller could have a role for {', '.join(closed)}: the server has no authenticator"
            )


def _options(max_message_bytes: int, max_calls_per_connection: int) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_concurrent_streams", max_calls_per_connection),
        # The default lets two servers share a port without an error.
        ("grpc.so_reuseport", 0),
        # A bandwidth probe answers each message after a pause, so each heartbeat, with a ping. The fixed window is what
        # the probe would give a fast peer: a message of 1 MiB fits into it with its frames.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 1024 * 1024 + 16 * 1024),
        ("grpc.http2.max_frame_size", MAX_FRAME_BYTES),
        # The defaults (1,000 and 3,000) refuse random calls when thousands of workers reconnect at once.
        ("grpc.server.max_pending_requests", 20_000),
        ("grpc.server.max_pending_requests_hard_limit", 40_000),
        # Clients ping every 60 s, also without calls; the default would close the connection for too many pings.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # A peer that vanished without closing its connection is detected within 45 s.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 15_000),
    ]
