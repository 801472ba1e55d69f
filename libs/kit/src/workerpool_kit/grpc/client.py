"""Channels to other services: limits, keepalive, reconnects within seconds, credentials and retries."""

import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import grpc

from workerpool_kit.grpc.errors import error_info, error_reason
from workerpool_kit.grpc.service_channel import ServiceChannel
from workerpool_kit.targets import channel_address
from workerpool_kit.tls.cleartext import check_cleartext
from workerpool_kit.tls.identity import identity

__all__ = ["error_info", "error_reason", "open_channel", "open_service"]

_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_RETRY_POLICY = {
    # Five is gRPC's own limit: about a second and a half in all. `wait_for_ready=True` covers longer outages.
    "maxAttempts": 5,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}

Token = Callable[[], Awaitable[str]]


def open_service(url: str, *, target: str | None = None, **options: Any) -> ServiceChannel:
    """Open a channel to the service at a documented URL, such as `http://host:13010` or `https://host`.

    The channel follows the service to the gRPC address of its HTTP port. `target` is a gRPC target set by an operator;
    it replaces the one behind the URL. `options` are those of `open_channel`. Call it in the event loop. Raises
    ValueError for a URL without a gRPC target, CleartextRefused for credentials without TLS.
    """
    return ServiceChannel(url, partial(open_channel, **options), target=target)


def open_channel(
    target: str,
    *,
    basic: tuple[str, str] | None = None,
    token: Token | None = None,
    max_message_bytes: int = _MAX_MESSAGE_BYTES,
    own_subchannel: bool = False,
    first_pause_s: float = 0.1,
    idempotent: Sequence[str] = (),
) -> grpc.aio.Channel:
    """Open a channel to `target`: `host:port` or `http://host:port` (plain), `https://host[:port]` (TLS).

    Raises ValueError for a target without a port or when both credentials are given, CleartextRefused (a ValueError)
    for credentials that would leave this host without TLS.

    Args:
        target: See `workerpool_kit.targets.grpc_target_of`.
        basic: User and password, sent as the authorization of every call.
        token: Returns the bearer token; called before each call.
        max_message_bytes: Limit of one message, sent or received.
        own_subchannel: Use a connection of its own; otherwise channels to one target share one.
        first_pause_s: Seconds to wait after the first failure to connect; later pauses grow up to 2 s.
        idempotent: Full names of services whose calls gRPC may send again while the server is UNAVAILABLE, up to five
            times within the call's deadline. Call them with `wait_for_ready=True` to wait for a restarting server.
    """
    if basic is not None and token is not None:
        raise ValueError("give either basic credentials or a token, not both")
    address, secure = channel_address(target)
    if basic is not None or token is not None:
        check_cleartext(target, "credentials")
    options = _options(max_message_bytes, own_subchannel, first_pause_s, idempotent)
    interceptors: list[Any] = []
    if basic is not None:
        interceptors = _authorised(_basic(*basic))
    elif token is not None:
        interceptors = _authorised(_bearer(token))
    if secure:
        return grpc.aio.secure_channel(
            address, identity().channel_credentials(), options, interceptors=interceptors
        )
    return grpc.aio.insecure_channel(address, options, interceptors=interceptors)


def _options(
    max_message_bytes: int, own_subchannel: bool, first_pause_s: float, idempotent: Sequence[str]
) -> list[tuple[str, int | str]]:
    retried = {"name": [{"service": name} for name in idempotent], "retryPolicy": _RETRY_POLICY}
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        # A dead peer is detected 15 s after a message to it (gRPC sets TCP_USER_TIMEOUT), and within 75 s on an idle
        # connection. With 30 s the pings of thousands of workers would cost half as much as their heartbeats.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 15_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # Services restart within two seconds; the default backoff grows to two minutes.
        ("grpc.initial_reconnect_backoff_ms", int(first_pause_s * 1_000)),
        ("grpc.min_reconnect_backoff_ms", 1_000),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.use_local_subchannel_pool", int(own_subchannel)),
        # The proxy of the environment is for the outside; it would carry the pool's own calls too.
        ("grpc.enable_http_proxy", 0),
        *([("grpc.service_config", json.dumps({"methodConfig": [retried]}))] if idempotent else []),
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
    """Interceptor that adds the authorization to the metadata of a call."""

    def __init__(self, authorization: Token) -> None:
        self._authorization = authorization

    async def _intercept(self, continuation: Any, details: Any, request: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        metadata.add("authorization", await self._authorization())
        return await continuation(details._replace(metadata=metadata), request)


# gRPC selects interceptors by class, one per arity, each with its own method name.
class _UnaryUnary(_Authorised, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
    intercept_unary_unary = _Authorised._intercept  # type: ignore[assignment]


class _UnaryStream(_Authorised, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    intercept_unary_stream = _Authorised._intercept  # type: ignore[assignment]


class _StreamUnary(_Authorised, grpc.aio.StreamUnaryClientInterceptor):  # type: ignore[type-arg]
    intercept_stream_unary = _Authorised._intercept  # type: ignore[assignment]


class _StreamStream(_Authorised, grpc.aio.StreamStreamClientInterceptor):  # type: ignore[type-arg]
    intercept_stream_stream = _Authorised._intercept  # type: ignore[assignment]
