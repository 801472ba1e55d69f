"""A channel to a service of the pool that follows it to another gRPC address, and to new certificates.

A service listens for gRPC where its documented URL says, unless its operator set another port. Every HTTP port reports
the gRPC address (`Workerpool-Grpc` of `GET /version`), so a channel whose server does not answer looks it up there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from workerpool_kit.logs import get_logger
from workerpool_kit.runtime.tasks import end_tasks, start_task
from workerpool_kit.targets import channel_address, grpc_target_of, service_url
from workerpool_kit.tls.identity import identity

log = get_logger()

GRPC_ADDRESS = "Workerpool-Grpc"
"""Header of `GET /version`: the port for gRPC at the host of the URL, or a whole target."""
_ASK_LIMIT_S = 3.0
_PAUSES_S = (0.5, 30.0)
_LEFTOVER_S = 60.0
"""Seconds for calls of a channel abandoned because its server does not answer; each has a shorter deadline."""
_RENEWED_S = 7 * 86_400.0
"""Seconds for calls of a channel replaced because of new certificates: a worker's stream may last for days."""

Lookup = Callable[[str], Awaitable[str | None]]


async def told_target(url: str) -> str | None:
    """Return the gRPC target that the HTTP port of a service reports, None without a usable one.

    A URL with TLS is never followed to a target without.
    """
    # Only a client that does not find a server needs it.
    import aiohttp

    limit = aiohttp.ClientTimeout(total=_ASK_LIMIT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(f"{url}/version", allow_redirects=False, ssl=identity().client_context()) as answer,
        ):
            told = answer.headers.get(GRPC_ADDRESS, "").strip()
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
    return target_told(url, told)


def target_told(url: str, told: str) -> str | None:
    """Return the target that `told`, a reported port or target, means at a URL; None for an unusable text."""
    try:
        (authority, secure), host = channel_address(grpc_target_of(url)), ""
        host = authority.rpartition(":")[0]
        if told.isascii() and told.isdigit():
            told = service_url("https" if secure else "http", host, int(told))
        address, told_secure = channel_address(told)
    except ValueError:
        return None
    if secure and not told_secure:
        return None
    return f"https://{address}" if told_secure else address


class ServiceChannel(grpc.aio.Channel):
    """A channel to the service at a documented URL. Stubs made on it stay valid when the address changes."""

    def __init__(
        self,
        url: str,
        open_to: Callable[[str], grpc.aio.Channel],
        *,
        target: str | None = None,
        lookup: Lookup = told_target,
    ) -> None:
        """Open the channel without connecting.

        Raises ValueError for a URL without a gRPC target.

        Args:
            url: The documented URL of the service.
            open_to: Opens a channel to a gRPC target.
            target: The gRPC target that an operator has set; it is kept, whatever the service reports.
            lookup: Returns the gRPC target that the service at a URL reports.
        """
        self._url = url
        self._open_to = open_to
        self._lookup = None if target else lookup
        self._documented = self.target = target or grpc_target_of(url)
        self._inner = open_to(self.target)
        self._left: dict[asyncio.Task[None], grpc.aio.Channel] = {}
        self._ignore_changes = identity().on_change(self._renew)
        self._following = start_task(self._follow(), name="service-channel")

    def current(self) -> grpc.aio.Channel:
        """Return the channel that new calls take."""
        return self._inner

    async def close(self, grace: float | None = None) -> None:
        """Close every connection, as `grpc.aio.Channel.close` does."""
        self._ignore_changes()
        left = dict(self._left)
        await end_tasks(self._following, *left)
        for channel in left.values():
            await channel.close(None)
        await self._inner.close(grace)

    async def __aenter__(self) -> "ServiceChannel":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close(None)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Return the state of the connection that new calls take."""
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the state of the connection that new calls take differs."""
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the connection that new calls take is established."""
        await self._inner.channel_ready()

    def unary_unary(self, *method: Any, **options: Any) -> Any:
        """Return the callable of a method; see `grpc.aio.Channel`."""
        return _Method(self, "unary_unary", method, options)

    def unary_stream(self, *method: Any, **options: Any) -> Any:
        """Return the callable of a method; see `grpc.aio.Channel`."""
        return _Method(self, "unary_stream", method, options)

    def stream_unary(self, *method: Any, **options: Any) -> Any:
        """Return the callable of a method; see `grpc.aio.Channel`."""
        return _Method(self, "stream_unary", method, options)

    def stream_stream(self, *method: Any, **options: Any) -> Any:
        """Return the callable of a method; see `grpc.aio.Channel`."""
        return _Method(self, "stream_stream", method, options)

    async def _follow(self) -> None:
        """Look up the address again whenever the server cannot be reached, with backoff."""
        pause = _PAUSES_S[0]
        while True:
            inner = self._inner
            state = inner.get_state()
            if state is grpc.ChannelConnectivity.READY:
                pause = _PAUSES_S[0]
            elif state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                await self._look_elsewhere()
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSES_S[1])
                continue
            await inner.wait_for_state_change(state)

    async def _look_elsewhere(self) -> None:
        told = await self._lookup(self._url) if self._lookup is not None else None
        others = [target for target in (told, self._documented) if target not in (None, self.target)]
        if others:
            other = str(others[0])
            try:
                self._leave(other, _LEFTOVER_S)
            except ValueError as refused:
                # Such as credentials, which are not sent there without TLS.
                log.warning("service.address_refused", url=self._url, grpc=other, error=str(refused))
            else:
                log.info("service.address_changed", url=self._url, grpc=other)

    def _renew(self) -> None:
        """Open new connections with the new certificates; calls in flight continue."""
        if channel_address(self.target)[1]:
            self._leave(self.target, _RENEWED_S)
            # It waits for a change of the abandoned connection.
            self._following.cancel()
            self._following = start_task(self._follow(), name="service-channel")

    def _leave(self, target: str, calls_s: float) -> None:
        left, self._inner = self._inner, self._open_to(target)
        self.target = target
        self._inner.get_state(try_to_connect=True)
        task = start_task(left.close(calls_s), name="close left channel")
        self._left[task] = left
        task.add_done_callback(lambda done: self._left.pop(done, None))


class _Method:
    """A method of a service, on the connection that is current at the call."""

    def __init__(
        self, channel: ServiceChannel, arity: str, method: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        self._channel, self._arity, self._method, self._options = channel, arity, method, options
        self._on: grpc.aio.Channel | None = None
        self._call: Any = None

    def __call__(self, *request: Any, **options: Any) -> Any:
        current = self._channel.current()
        if current is not self._on:
            self._on = current
            self._call = getattr(current, self._arity)(*self._method, **self._options)
        return self._call(*request, **options)
