"""Probes of another service of the pool: whether it answers, is the right one, is in service, and accepts our login."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from workerpool_kit.dependencies.report import (
    CREDENTIALS,
    NOT_IN_SERVICE,
    WRONG,
    DependencyProblem,
    DependencyReport,
)
from workerpool_kit.grpc.client import open_service
from workerpool_kit.grpc.errors import error_reason

_CALL_LIMIT_S = 2.5
_REFUSED = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})
_ANOTHER = frozenset({grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.NOT_FOUND})


async def probe_service(channel: grpc.aio.Channel, service: str, what: str) -> None:
    """Return when the server behind `channel` serves `service` (its full name). Raises DependencyProblem.

    `what` names the service for the operator, such as `result proxy`.
    """
    stub: Any = health_pb2_grpc.HealthStub(channel)
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=_CALL_LIMIT_S)
    except grpc.aio.AioRpcError as error:
        raise problem_of(error, what) from None
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise DependencyProblem(
            f"the {what} answers, but is not in service",
            kind=NOT_IN_SERVICE,
            next_step=f"read /actuator/health of the {what}, which names what it lacks",
        )


async def probe_login(call: Callable[[], Awaitable[object]], what: str, variable: str) -> None:
    """Return when an authenticated `call` succeeds; `variable` holds the credentials. Raises DependencyProblem."""
    try:
        await call()
    except grpc.aio.AioRpcError as error:
        if error.code() in _REFUSED:
            raise DependencyProblem(
                f"the {what} refuses the credentials ({error.code().name})",
                kind=CREDENTIALS,
                variable=variable,
                next_step=f"correct {variable} here or the password that the {what} expects",
            ) from None
        raise problem_of(error, what) from None


def problem_of(error: grpc.aio.AioRpcError, what: str) -> DependencyProblem:
    """Return what a failed call says about the service."""
    if error.code() in _ANOTHER:
        return DependencyProblem(f"another service than the {what} answers at this address", kind=WRONG)
    if reason := error_reason(error):
        return DependencyProblem(
            f"the {what} answers {reason}: {error.details()}",
            kind=NOT_IN_SERVICE,
            next_step=f"read /actuator/health of the {what}, which names what it lacks",
        )
    return DependencyProblem(f"the {what} does not answer ({error.code().name})")


class MovableService:
    """Probes a service whose address may change while the process runs."""

    def __init__(
        self,
        url: Callable[[], str],
        service: str,
        what: str,
        report: DependencyReport,
        *,
        also: Callable[[grpc.aio.Channel, str], Awaitable[None]] | None = None,
    ) -> None:
        """Create it without connecting.

        Args:
            url: returns the current documented HTTP address.
            service: full name of the gRPC service.
            what: names it for the operator.
            report: shows the current address.
            also: checks more of a service that is in service, given its connection and address.
        """
        self._also = also
        self._url = url
        self._service = service
        self._what = what
        self._report = report
        self._probed = ""
        self._channel: grpc.aio.Channel | None = None

    async def probe(self) -> None:
        """Return when the service at the current address is in service. Raises DependencyProblem."""
        url = self._url()
        if self._channel is None or url != self._probed:
            await self.close()
            self._report.address = url
            try:
                self._channel = open_service(url)
            except ValueError as error:
                raise DependencyProblem(str(error), kind=WRONG) from None
            self._probed = url
        await probe_service(self._channel, self._service, self._what)
        if self._also is not None:
            await self._also(self._channel, url)

    async def close(self) -> None:
        """Close the connection."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close(None)
