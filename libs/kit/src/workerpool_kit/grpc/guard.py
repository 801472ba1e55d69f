"""The interceptor around every gRPC call: identity, policy, deadline, validation, error map, metrics.

It wraps the handler of each method once. A servicer must read a stream by iterating the requests, not with
`context.read`, because iteration validates them.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import grpc
from google.protobuf.message import Message

from workerpool_kit import metrics
from workerpool_kit.access import audit
from workerpool_kit.access.authenticators import (
    ANONYMOUS,
    ANYONE,
    OPERATOR,
    Authenticator,
    Identity,
    WrongPassword,
    has_password,
    identity_of_call,
)
from workerpool_kit.access.callers import FORWARDED_FOR, TrustedProxies, address_of_peer
from workerpool_kit.access.wrong_passwords import WrongPasswords
from workerpool_kit.errors import Kind, PermissionDenied, Unauthenticated, WorkerpoolError
from workerpool_kit.grpc.checked_requests import CheckedStream, checked, tolerant
from workerpool_kit.grpc.errors import CODES, abort
from workerpool_kit.logs import get_logger

log = get_logger()

_ACCESS = frozenset({Kind.UNAUTHENTICATED, Kind.PERMISSION})

Policy = Mapping[str, frozenset[str]]
"""Full method name (`/package.Service/Method`) to the roles that may call it."""


def always_open(method: str) -> bool:
    """Return whether a method belongs to gRPC's own services (health, reflection), which are public."""
    return method.startswith(("/grpc.health.", "/grpc.reflection."))


class TooManyStreams(WorkerpoolError):
    """A public streaming method has its limit of open streams; retry later."""

    kind = Kind.EXHAUSTED
    reason = "TOO_MANY_STREAMS"


class CallGuard(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """The interceptor; see the module."""

    def __init__(
        self,
        authenticator: Authenticator | None,
        policy: Policy,
        default_deadline_s: float,
        max_open_streams: int,
        proxies: TrustedProxies,
    ) -> None:
        self._proxies = proxies
        self._wrong_passwords = WrongPasswords()
        self._authenticator = authenticator
        self._policy = policy
        self._default_deadline_s = default_deadline_s
        self._max_open_streams = max_open_streams
        self._open_streams: Counter[str] = Counter()
        self._wrapped: dict[str, Any] = {}

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Return the guarded handler of the called method."""
        method = handler_call_details.method
        if method not in self._wrapped:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            self._wrapped[method] = self._wrap(method, handler)
        return self._wrapped[method]

    def _wrap(self, method: str, handler: Any) -> Any:
        parse = tolerant(handler.request_deserializer)
        serialize = handler.response_serializer
        if not handler.request_streaming and not handler.response_streaming:

            async def unary_unary(request: Any, context: Any) -> Any:
                return await self._guard(
                    method,
                    context,
                    lambda: handler.unary_unary(checked(request), context),
                    unary=True,
                    request=request,
                )

            return grpc.unary_unary_rpc_method_handler(cast(Any, unary_unary), parse, serialize)
        if not handler.request_streaming:

            async def unary_stream(request: Any, context: Any) -> None:
                async def body() -> None:
                    await _send_all(handler.unary_stream(checked(request), context), context)

                await self._guard(method, context, body, request=request)

            return grpc.unary_stream_rpc_method_handler(cast(Any, unary_stream), parse, serialize)
        if not handler.response_streaming:

            async def stream_unary(requests: Any, context: Any) -> Any:
                return await self._guard(
                    method, context, lambda: handler.stream_unary(CheckedStream(requests), context)
                )

            return grpc.stream_unary_rpc_method_handler(cast(Any, stream_unary), parse, serialize)

        async def stream_stream(requests: Any, context: Any) -> None:
            async def body() -> None:
                await _send_all(handler.stream_stream(CheckedStream(requests), context), context)

            await self._guard(method, context, body)

        return grpc.stream_stream_rpc_method_handler(cast(Any, stream_stream), parse, serialize)

    async def _guard(
        self,
        method: str,
        context: Any,
        body: Callable[[], Awaitable[Any]],
        *,
        unary: bool = False,
        request: Any = None,
    ) -> Any:
        started = time.perf_counter()
        code = "OK"
        limit = self._default_deadline_s if unary and context.time_remaining() is None else None
        deadline = asyncio.timeout(limit)
        identity = ANONYMOUS
        try:
            identity = await self._admit(method, context)
            identity_of_call.set(identity)
            with self._count_stream(method, unary=unary):
                async with deadline:
                    return await body()
        except asyncio.CancelledError:
            # The client disconnected, its deadline passed, or the server stops: no one receives an answer.
            code = "CANCELLED"
            raise
        except grpc.aio.AbortError:
            code = _code_name(context)
            raise
        except Exception as error:
            if context.cancelled() or context.done():
                # The error, most likely of a write, is a consequence of the disconnect.
                code = "CANCELLED"
                log.debug("grpc.client_disconnected", method=method, error=repr(error))
                raise asyncio.CancelledError from error
            answer = _too_late(limit) if deadline.expired() else _answer_to(method, error, context.peer())
            code = answer.code.name
            await abort(context, answer.error, answer.code)
        finally:
            metrics.grpc_handled(method, code, time.perf_counter() - started)
            if OPERATOR in identity.roles:
                order = request if isinstance(request, Message) else None
                audit.order_handled(identity.subject, method, order, code, context.peer())

    @contextmanager
    def _count_stream(self, method: str, *, unary: bool) -> Iterator[None]:
        """Count a stream of a public method, which may stay open without limit. Raises TooManyStreams."""
        if unary or not (always_open(method) or ANYONE in self._policy[method]):
            yield
            return
        if self._open_streams[method] >= self._max_open_streams:
            raise TooManyStreams(f"{self._max_open_streams} streams of this method are open; retry later")
        self._open_streams[method] += 1
        try:
            yield
        finally:
            self._open_streams[method] -= 1

    async def _admit(self, method: str, context: Any) -> Identity:
        if always_open(method):
            return ANONYMOUS
        allowed = self._policy.get(method)
        if allowed is None:
            raise PermissionDenied(f"no policy allows {method}")
        identity: Identity | None = None
        if self._authenticator is not None:
            given = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            try:
                identity = await self._identify(self._authenticator, given, context.peer())
            except WorkerpoolError:
                # An expired token must not prevent a call of the method that issues a new one.
                if ANYONE not in allowed:
                    raise
        if ANYONE in allowed:
            return identity or ANONYMOUS
        if identity is None:
            raise Unauthenticated(
                "this method needs credentials, and the call has none; send an authorization"
            )
        if not identity.roles & allowed:
            raise PermissionDenied(f"this method needs the role {' or '.join(sorted(allowed))}")
        return identity

    async def _identify(
        self, authenticator: Authenticator, given: Mapping[str, str], peer: str
    ) -> Identity | None:
        """Return the caller. Raises TooManyWrongPasswords, or what the authenticator raises."""
        if not has_password(given):
            return await authenticator.authenticate(given)
        caller = self._proxies.caller(address_of_peer(peer), given.get(FORWARDED_FOR, ""))
        self._wrong_passwords.check(caller)
        try:
            return await authenticator.authenticate(given)
        except WrongPassword:
            self._wrong_passwords.add(caller)
            raise


@dataclass(frozen=True)
class _Answer:
    """How a failed call ends."""

    error: WorkerpoolError
    code: grpc.StatusCode


def _too_late(limit: float | None) -> _Answer:
    message = (
        f"not finished within {limit:g} s, the limit for calls without a deadline; retry or set a deadline"
    )
    return _Answer(WorkerpoolError(message, reason="DEADLINE_EXCEEDED"), grpc.StatusCode.DEADLINE_EXCEEDED)


def _answer_to(method: str, error: Exception, peer: str) -> _Answer:
    if isinstance(error, WorkerpoolError) and error.kind in _ACCESS:
        audit.access_refused(method, error.reason, error.message, peer)
        return _Answer(error, CODES[error.kind])
    if isinstance(error, WorkerpoolError):
        log.info("grpc.refused", method=method, reason=error.reason, message=error.message)
        return _Answer(error, CODES[error.kind])
    correlation = uuid.uuid4().hex[:12]
    log.error("grpc.call_crashed", method=method, correlation=correlation, exc_info=error)
    # The cause stays in the log; the id connects a caller's report with it.
    message = f"internal error; search the server's log for {correlation}"
    return _Answer(WorkerpoolError(message, details={"correlation": correlation}), grpc.StatusCode.INTERNAL)


async def _send_all(responses: Any, context: Any) -> None:
    # A servicer method is an async generator, or a coroutine that calls `context.write`.
    if not hasattr(responses, "__aiter__"):
        await responses
        return
    try:
        async for response in responses:
            await context.write(response)
    finally:
        if hasattr(responses, "aclose"):
            await responses.aclose()


def _code_name(context: Any) -> str:
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return code.name
    return next((known.name for known in grpc.StatusCode if known.value[0] == code), "UNKNOWN")
