"""The HTTP port of a process: health, metrics and version, plus the routes of the service."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from workerpool_kit.access import audit
from workerpool_kit.access.callers import THIS_HOST, TrustedProxies
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.service_channel import GRPC_ADDRESS
from workerpool_kit.health import UP, Health
from workerpool_kit.http.answers import error_answer, refusal
from workerpool_kit.http.browsers import open_to_browsers
from workerpool_kit.http.connections import BoundedConnection
from workerpool_kit.http.forwarded import BehindProxies
from workerpool_kit.http.remainder import read_on
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_kit.runtime import log_stream
from workerpool_kit.runtime.tasks import start_task
from workerpool_kit.settings.base import EVERY_INTERFACE
from workerpool_kit.targets import host_and_port
from workerpool_kit.tls.identity import identity

log = get_logger()

_STOP_LIMIT_S = 3
_HANDSHAKE_LIMIT_S = 10.0
_SHOWN_PATH = 200
"""Characters of an unknown path that an answer repeats."""


class HttpServer:
    """Serves one port (0 means any free port; `port` holds it after `start`). `routes` override the built-in ones.

    `for_browsers` admits pages of every origin (CORS). Set it on a port that requesters use. `proxies` are the
    addresses of reverse proxies that name the address and the scheme of a caller behind them (`TrustedProxies`).
    """

    def __init__(
        self,
        port: int,
        *,
        health: Health,
        version: str,
        routes: Sequence[BaseRoute] = (),
        host: str,
        metrics_path: str = "/metrics",
        for_browsers: bool = False,
        proxies: str = THIS_HOST,
    ) -> None:
        self.port = port
        self._host = host
        self._health = health
        self._version = version
        built_in = [
            Route("/actuator/health", self._show_health),
            Route("/actuator/health/liveness", _show_liveness),
            Route("/actuator/info", self._show_info),
            Route("/actuator/prometheus", _show_metrics),
            Route(metrics_path, _show_metrics),
            Route("/version", self._show_version),
        ]
        handlers: dict[Any, Any] = {
            WorkerpoolError: _refuse,
            HTTPException: _answer_unrouted,
            Exception: _fail,
        }
        self.app = Starlette(routes=[*routes, *built_in], exception_handlers=handlers)
        # Outside of the application, so that a page can read answers to failures too.
        served = read_on(open_to_browsers(self.app) if for_browsers else self.app)
        self._served = BehindProxies(served, TrustedProxies(proxies))
        self._grpc_address = ""
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._stop_showing_logs: Callable[[], None] = lambda: None

    def add_routes(self, routes: Sequence[BaseRoute]) -> None:
        """Serve further routes from now on; they override those that are served."""
        self.app.router.routes[:0] = routes

    async def start(self) -> None:
        """Start serving. Raises StartupError when the port is taken."""
        listener = _listen(self._host, self.port)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._served,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http=BoundedConnection,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_STOP_LIMIT_S,
        )
        config.load()
        config.ssl = identity().server_context()
        self._server = _Server(config)
        self._serving = start_task(self._server.serve([listener]), name="http-side")
        await self._server.ready.wait()
        self._stop_showing_logs = log_stream.show_in(self._health)
        identity().show_in(self._health)
        log.info("http.server_started", host=self._host, port=self.port, tls=config.ssl is not None)

    def tell_grpc(self, port: int, target: str | None = None) -> None:
        """Report the gRPC address in `GET /version`: the operator's `target` if set, else the port."""
        self._grpc_address = target or str(port)

    async def stop(self) -> None:
        """Stop listening and end open requests within 3 s."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = self._serving = None
            self._stop_showing_logs()

    async def _show_health(self, _request: Request) -> Response:
        return JSONResponse(self._health.snapshot(), 200 if self._health.is_up else 503)

    async def _show_info(self, _request: Request) -> Response:
        return JSONResponse({"build": {"version": self._version}})

    async def _show_version(self, _request: Request) -> Response:
        told = {GRPC_ADDRESS: self._grpc_address} if self._grpc_address else None
        return PlainTextResponse(self._version, headers=told)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, since the process has its own, and with an event for the listening."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        loop = asyncio.get_running_loop()
        for listener in sockets or ():
            # uvicorn's own call gives a TLS handshake 60 s, in which the connection counts for no limit.
            server = await loop.create_server(
                self._connection,
                sock=listener,
                ssl=self.config.ssl,
                ssl_handshake_timeout=_HANDSHAKE_LIMIT_S if self.config.ssl is not None else None,
                backlog=self.config.backlog,
            )
            self.servers.append(server)
        self.ready.set()

    def _connection(self) -> asyncio.Protocol:
        return BoundedConnection(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket; `::` admits IPv4 too, and is IPv4 alone on a kernel without IPv6, as gRPC does it."""
    try:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        if host == EVERY_INTERFACE:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    except OSError:
        if host != EVERY_INTERFACE:
            raise StartupError(
                f"cannot listen on {host}: this kernel has no IPv6; set WORKERPOOL_HTTP_BIND_ADDRESS to an IPv4 address"
            ) from None
        host = "0.0.0.0"
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, and without it the body of each
    # answer waits 40 ms for the client's acknowledgement of its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartupError(
            f"cannot listen on {host_and_port(host, port)} for HTTP: {error.strerror}; stop what uses it or set "
            "another port"
        ) from None
    return listener


async def _show_liveness(_request: Request) -> Response:
    """Answer UP whatever the state of the components: a restart of this process repairs no dependency."""
    return JSONResponse({"status": UP})


async def _show_metrics(_request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, WorkerpoolError)
    if error.kind in (Kind.UNAUTHENTICATED, Kind.PERMISSION):
        peer = host_and_port(request.client.host, request.client.port) if request.client else "unknown"
        audit.access_refused(f"{request.method} {request.url.path}", error.reason, error.message, peer)
    return refusal(error)


async def _answer_unrouted(request: Request, error: Exception) -> Response:
    """Answer an unknown path or method in JSON, as some clients require."""
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).name
    path = request.url.path[:_SHOWN_PATH]
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            sentence = f"nothing is served at {path}; compare it with the documented paths of this service"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = sorted((error.headers or {}).get("Allow", "another method").split(", "))
            sentence = f"{path} does not take {request.method}; send {', '.join(allowed)}"
        case _:
            sentence = error.detail
    return error_answer(code, sentence, error.status_code, headers=error.headers)


async def _fail(request: Request, error: Exception) -> Response:
    log.error("http.request_crashed", path=request.url.path, exc_info=error)
    return error_answer(
        "INTERNAL", "the service failed; report the line of its log to the pool's operator", 500
    )
