"""The standard health service (`grpc.health.v1.Health`): `Check`, `List`, and `Watch`, which ends with the server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_Status = health_pb2.HealthCheckResponse
SERVICE_NAME = "grpc.health.v1.Health"
LIVENESS = "liveness"
"""Name for restart probes: serving until the process stops, whatever its dependencies do."""


class HealthServicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """Keeps the state of each service by full name; the empty name is the whole process."""

    def __init__(self) -> None:
        self._serving: dict[str, bool] = {"": True, LIVENESS: True}
        self._changed = asyncio.Event()
        self._closing = False

    def set(self, service: str, serving: bool) -> None:
        """Record the state of `service` and wake its watchers."""
        if self._serving.get(service) is not serving:
            self._serving[service] = serving
            self._wake()

    def set_default(self, service: str, serving: bool) -> None:
        """Record the state of `service` unless it is known."""
        self._serving.setdefault(service, serving)

    def close(self) -> None:
        """Report every service as not serving, send that to the watchers and end their streams."""
        self._closing = True
        self._wake()

    async def Check(self, request: Any, context: Any) -> Any:
        """Return the state of one service; NOT_FOUND for an unknown one, as the health protocol says."""
        status = self._status(request.service)
        if status == _Status.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"this server has no service {request.service!r}")
        return _Status(status=status)

    async def List(self, request: Any, context: Any) -> Any:
        """Return the state of every service of this server."""
        return health_pb2.HealthListResponse(
            statuses={name: _Status(status=self._status(name)) for name in self._serving}
        )

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Send the state of one service now and after each change."""
        sent = None
        while True:
            # Read together: `close` may run while a status is being sent, and must be sent as well.
            changed, closing = self._changed, self._closing
            status = self._status(request.service)
            if status != sent:
                yield _Status(status=status)
                sent = status
            if closing:
                return
            await changed.wait()

    def _status(self, service: str) -> int:
        if service not in self._serving:
            return int(_Status.SERVICE_UNKNOWN)
        up = self._serving[service] and not self._closing
        return int(_Status.SERVING if up else _Status.NOT_SERVING)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
