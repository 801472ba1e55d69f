"""The gRPC services of a pool, called once per question; failures end the command with their cause."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

import grpc
from google.protobuf.message import Message
from pydantic import SecretStr
from workerpool_kit.grpc.client import open_service
from workerpool_kit.targets import grpc_target_of

from poolctl.adapters.reachability import probe_port
from poolctl.adapters.rpc_errors import explained, unreachable
from poolctl.errors import Refused, UnusableSettings
from poolctl.settings import PoolctlSettings

LIMIT_S = 5.0
"""Limit of one call, the search for the service's gRPC port included."""

_PUBLIC = frozenset({"core"})
"""Services whose reads need no credentials; those are sent only with what changes the pool or is the operator's."""


class Services:
    """Channels to the services of a pool, opened when they are first used. Use it as an async context manager."""

    def __init__(self, settings: PoolctlSettings) -> None:
        """Store the settings without connecting."""
        self.settings = settings
        self._stack = AsyncExitStack()
        self._channels: dict[tuple[str, bool], grpc.aio.Channel] = {}
        self._seen: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def channel(self, service: str, *, operator: bool = False) -> grpc.aio.Channel:
        """Return the channel of a service. Raises UnusableSettings for a URL or credentials that cannot be used."""
        authorised = operator or service not in _PUBLIC
        if (service, authorised) not in self._channels:
            url = self.settings.services[service]
            target = str(self.settings.core_grpc) if service == "core" and self.settings.core_grpc else None
            basic = self._credentials(service) if authorised else None
            try:
                channel = open_service(url, target=target, basic=basic)
            except ValueError as problem:
                raise UnusableSettings(f"{service}: {problem}", "correct the URL, or use https") from problem
            self._stack.push_async_callback(channel.close, None)
            self._channels[service, authorised] = channel
        return self._channels[service, authorised]

    async def call(
        self,
        service: str,
        stub: Any,
        method: str,
        request: Message,
        *,
        operator: bool = False,
        limit_s: float = LIMIT_S,
    ) -> Any:
        """Return the answer of a unary method. Raises CommandFailed with cause and next step."""
        channel = self.channel(service, operator=operator)
        await self._see(service)
        try:
            return await getattr(stub(channel), method)(request, timeout=limit_s, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            raise await explained(service, self.settings.services[service], error) from error

    async def stream(
        self, service: str, stub: Any, method: str, request: Message, *, operator: bool = False
    ) -> AsyncIterator[Any]:
        """Yield the answers of a streaming method. Raises CommandFailed with cause and next step."""
        channel = self.channel(service, operator=operator)
        await self._see(service)
        try:
            async for answer in getattr(stub(channel), method)(request):
                yield answer
        except grpc.aio.AioRpcError as error:
            raise await explained(service, self.settings.services[service], error) from error

    async def pages(
        self, service: str, stub: Any, method: str, request: Any, field: str, *, limit: int
    ) -> Sequence[Any]:
        """Return at most `limit` items of a paged method, which are in `field` of each page."""
        items: list[Any] = []
        while True:
            answer = await self.call(service, stub, method, request)
            items += getattr(answer, field)
            if len(items) >= limit or not answer.next_page_token:
                return items[:limit]
            request.page_token = answer.next_page_token

    async def _see(self, service: str) -> None:
        """Raise Unreachable at once when the port of a service is closed; gRPC itself tries until its deadline."""
        if service in self._seen:
            return
        url = self.settings.services[service]
        look = await probe_port(str(self.settings.core_grpc or url) if service == "core" else url)
        if not look.is_open:
            raise unreachable(service, url, f"{look.address}: {look.problem}")
        self._seen.add(service)

    def need_operator(self) -> None:
        """Raise Refused when no operator is configured: a call would only be refused by the service."""
        if self._credentials("core") is None:
            raise Refused(
                "this command changes the pool, and poolctl has no operator's credentials",
                "set IEXEC_CORE_OPERATOR_USERNAME and IEXEC_CORE_OPERATOR_PASSWORD_FILE as core has them, in the "
                "environment or in the pool's .env (--pool-dir)",
            )

    def _credentials(self, service: str) -> tuple[str, str] | None:
        settings = self.settings
        pairs: dict[str, tuple[str, SecretStr | None]] = {
            "core": (settings.operator_username, settings.operator_password),
            "chain_adapter": (settings.adapter_username, settings.adapter_password),
            "order_publisher": (
                settings.publisher_username or settings.operator_username,
                settings.publisher_password or settings.operator_password,
            ),
        }
        user, password = pairs.get(service, ("", None))
        return (user, password.get_secret_value()) if user and password is not None else None


def documented_target(url: str) -> str:
    """Return the gRPC target behind a service's URL; empty when it has none."""
    try:
        return grpc_target_of(url)
    except ValueError:
        return ""
