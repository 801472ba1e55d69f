"""The HTTP port of a process: health, metrics and version, plus the routes of the service."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.health import Health
from workerpool_kit.http.connections import BoundedConnection
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError

log = get_logger()

HTTP_STATUS: dict[Kind, int] = {
    Kind.INVALID: 400,
    Kind.NOT_FOUND: 404,
    Kind.ALREADY_EXISTS: 409,
    Kind.UNAUTHENTICATED: 401,
    Kind.PERMISSION: 403,
    Kind.PRECONDITION: 409,
    Kind.EXHAUSTED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.CONFLICT: 409,
    Kind.INTERNAL: 500,
}
"""The HTTP status of each kind of error, for routes that raise `WorkerpoolError`."""

_STOP_LIMIT_S = 3


class HttpServer:
    """Serves one port (0 means any free port; `port` holds it after `start`). `routes` override the built-in ones."""

    def __init__(
        self,
        port: int,
        *,
        health: Health,
        version: str,
        routes: Sequence[BaseRoute] = (),
        host: str = "0.0.0.0",
        metrics_path: str = "/metrics",
    ) -> None:
        self.port = port
        self._host = host
        self._health = health
        self._version = version
        built_in = [
            Route("/actuator/health", self._show_health),
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
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start serving. Raises StartupError when the port is taken."""
        listener = _listen(self._host, self.port)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self.app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http=BoundedConnection,
            server_header=False,
            timeout_graceful_shutdown=_STOP_LIMIT_S,
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve([listener]), name="http-side")
        await self._server.ready.wait()
        log.info("http.listening", host=self._host, port=self.port)

    async def stop(self) -> None:
        """Stop listening and end open requests within 3 s."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = self._serving = None

    async def _show_health(self, _request: Request) -> Response:
        return JSONResponse(self._health.snapshot(), 200 if self._health.is_up else 503)

    async def _show_info(self, _request: Request) -> Response:
        return JSONResponse({"build": {"version": self._version}})

    async def _show_version(self, _request: Request) -> Response:
        return PlainTextResponse(self._version)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, since the process has its own, and with an event for the listening."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartupError(
            f"cannot listen on {host}:{port} for HTTP: {error.strerror}; stop what uses it or set another port"
        ) from None
    return listener


async def _show_metrics(_request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, WorkerpoolError)
    body = {
        "error": error.reason,
        "message": error.message,
        **({"details": error.details} if error.details else {}),
    }
    headers = {"WWW-Authenticate": "Basic"} if error.kind is Kind.UNAUTHENTICATED else None
    return JSONResponse(body, HTTP_STATUS[error.kind], headers)


async def _answer_unrouted(_request: Request, error: Exception) -> Response:
    """Answer an unknown path or method in JSON, as some clients require."""
    assert isinstance(error, HTTPException)
    reason = error.detail.upper().replace(" ", "_")
    return JSONResponse({"error": reason, "message": error.detail}, error.status_code, error.headers)


async def _fail(request: Request, error: Exception) -> Response:
    log.error("http.unexpected_error", path=request.url.path, exc_info=error)
    return JSONResponse({"error": "INTERNAL", "message": "internal error; see the server's log"}, 500)
