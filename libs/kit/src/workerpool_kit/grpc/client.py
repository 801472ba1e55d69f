"""Channels to other services: limits, keepalive, quick reconnects, credentials, retries, and the reason of an error."""

import asyncio
import base64
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from workerpool_kit.grpc.errors import error_info, error_reason
from workerpool_kit.targets import channel_address

__all__ = ["call", "error_info", "error_reason", "open_channel"]

_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0

Token = Callable[[], Awaitable[str]]


def open_channel(
    target: str,
    *,
    basic: tuple[str, str] | None = None,
    token: Token | None = None,
    max_message_bytes: int = _MAX_MESSAGE_BYTES,
    own_subchannel: bool = False,
    first_pause_s: float = 0.1,
) -> grpc.aio.Channel:
    """Open a channel to `target`: ``host:port`` or ``http://host:port`` (plain), ``https://host:port`` (TLS).

    `basic` (user, password) or `token` (asked before each call) is sent as the authorization of every call.
    `own_subchannel` gives the channel a connection of its own; otherwise channels to one target share one.
    `first_pause_s` is how long a channel waits after a first failure to connect; later pauses grow up to 2 s.
    Raises ValueError for a target without a port or when both credentials are given.
    """
    if basic is not None and token is not None:
        raise ValueError("give either basic credentials or a token, not both")
    address, secure = channel_address(target)
    options = _options(max_message_bytes, own_subchannel, first_pause_s)
    interceptors: list[Any] = []
    if basic is not None:
        interceptors = _authorised(_basic(*basic))
    elif token is not None:
        interceptors = _authorised(_bearer(token))
    if secure:
        return grpc.aio.secure_channel(
            address, grpc.ssl_channel_credentials(), options, interceptors=interceptors
        )
    return grpc.aio.insecure_channel(address, options, interceptors=interceptors)


async def call(method: Any, request: Any, *, timeout_s: float, retry_unavailable_for_s: float = 0) -> Any:
    """Make a unary call with a deadline of `timeout_s` seconds per attempt.

    While the server is UNAVAILABLE the call is repeated, with growing and jittered pauses, for
    `retry_unavailable_for_s` seconds in all: only ask for that when the method is idempotent.
    Raises grpc.aio.AioRpcError.
    """
    give_up_at = time.monotonic() + retry_unavailable_for_s
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await method(request, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            wait = pause * random.uniform(0.5, 1)
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() + wait > give_up_at:
                raise
        await asyncio.sleep(wait)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _options(max_message_bytes: int, own_subchannel: bool, first_pause_s: float) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        # A dead peer is noticed 15 s after anything was sent to it, since gRPC then sets TCP_USER_TIMEOUT, and within
        # 75 s on a silent connection. At 30 s the pings of thousands of workers cost half as much as their heartbeats.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 15_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # Services restart in a second or two; the default back-off grows to two minutes.
        ("grpc.initial_reconnect_backoff_ms", int(first_pause_s * 1_000)),
        ("grpc.min_reconnect_backoff_ms", 1_000),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.use_local_subchannel_pool", int(own_subchannel)),
    ]


def _basic(username: str, password: str) -> Token:
    value = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    async def authorization() -> str:
        return value

    return authorization


def _bearer(token: Token) -> Token:
    async def authorization() -> str:
        return f"Bearer {await token()}"

    return authorization


def _authorised(authorization: Token) -> list[Any]:
    return [arity(authorization) for arity in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]


class _Authorised:
    """Adds the authorization to the metadata of a call."""

    def __init__(self, authorization: Token) -> None:
        self._authorization = authorization

    async def _intercept(self, continuation: Any, details: Any, request: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        metadata.add("authorization", await self._authorization())
        return await continuation(details._replace(metadata=metadata), request)


# gRPC picks interceptors by their class, one per arity, and calls a differently named method on each.
class _UnaryUnary(_Authorised, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
    intercept_unary_unary = _Authorised._intercept  # type: ignore[assignment]


class _UnaryStream(_Authorised, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    intercept_unary_stream = _Authorised._intercept  # type: ignore[assignment]


class _StreamUnary(_Authorised, grpc.aio.StreamUnaryClientInterceptor):  # type: ignore[type-arg]
    intercept_stream_unary = _Authorised._intercept  # type: ignore[assignment]


class _StreamStream(_Authorised, grpc.aio.StreamStreamClientInterceptor):  # type: ignore[type-arg]
    intercept_stream_stream = _Authorised._intercept  # type: ignore[assignment]
