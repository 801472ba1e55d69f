"""The channel to a pool: TLS, credentials, deadlines and retries of every call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import grpc
from workerpool_protocol.core.v1 import deal_service_pb2, pool_service_pb2, task_service_pb2

from workerpool_client.credentials import Credentials
from workerpool_client.errors import WorkerpoolError
from workerpool_client.targets import Target

ATTEMPTS = 4
"""How often a read is sent before its caller learns that the pool is UNAVAILABLE."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""Seconds between attempts; each pause is twice the one before."""
_SERVICES = (
    task_service_pb2.DESCRIPTOR.services_by_name["TaskService"],
    pool_service_pb2.DESCRIPTOR.services_by_name["PoolService"],
    deal_service_pb2.DESCRIPTOR.services_by_name["DealService"],
)
_ANSWERED_ONCE = {"GetTaskLogs"}
"""Reads that a challenge opens once."""
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024


def open_channel(
    target: Target,
    credentials: Credentials | None,
    *,
    deadline_s: float,
    ca_file: Path | None = None,
    certificate_file: Path | None = None,
    key_file: Path | None = None,
) -> grpc.Channel:
    """Open a channel; it connects with the first call. Raises WorkerpoolError for files that cannot be read."""
    options = list(_options(target))
    if target.tls:
        ca, certificate, key = map(_content, (ca_file, certificate_file, key_file))
        channel = grpc.secure_channel(
            target.address, grpc.ssl_channel_credentials(ca, key, certificate), options
        )
    else:
        channel = grpc.insecure_channel(target.address, options)
    return grpc.intercept_channel(channel, _Defaults(credentials, deadline_s))


def idempotent_reads() -> Iterator[tuple[str, str]]:
    """Yield service and name of each method that may be sent again: unary reads that change nothing."""
    for service in _SERVICES:
        for method in service.methods:
            is_read = method.name.startswith(("Get", "List", "Explain")) and not method.server_streaming
            if is_read and method.name not in _ANSWERED_ONCE:
                yield service.full_name, method.name


def _options(target: Target) -> Iterable[tuple[str, Any]]:
    policy = {
        "maxAttempts": ATTEMPTS,
        "initialBackoff": f"{FIRST_PAUSE_S:g}s",
        "maxBackoff": f"{LONGEST_PAUSE_S:g}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    names = [{"service": service, "method": method} for service, method in idempotent_reads()]
    yield "grpc.service_config", json.dumps({"methodConfig": [{"name": names, "retryPolicy": policy}]})
    yield "grpc.max_receive_message_length", _MAX_MESSAGE_BYTES
    # A peer that vanished during a watch is detected within 75 s.
    yield "grpc.keepalive_time_ms", 60_000
    yield "grpc.keepalive_timeout_ms", 15_000
    yield "grpc.initial_reconnect_backoff_ms", int(FIRST_PAUSE_S * 1_000)
    yield "grpc.max_reconnect_backoff_ms", int(LONGEST_PAUSE_S * 1_000)
    if target.is_loopback:
        # The proxy of the environment cannot reach this host.
        yield "grpc.enable_http_proxy", 0


def _content(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorkerpoolError(
            "TLS_FAILED", f"{path} cannot be read: {error.strerror}", "correct its path or its mode"
        ) from error


class _Details(grpc.ClientCallDetails):
    """The details of a call with this client's credentials and deadline."""

    def __init__(
        self, given: Any, metadata: tuple[tuple[str, str | bytes], ...], timeout: float | None
    ) -> None:
        self.method = given.method
        self.timeout = timeout
        self.metadata = metadata
        self.credentials = given.credentials
        self.wait_for_ready = given.wait_for_ready
        self.compression = given.compression


class _Stream:
    """A stream whose failure is a WorkerpoolError; everything else is the call's own."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __iter__(self) -> _Stream:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise WorkerpoolError.of(error) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


class _Defaults(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    """Adds credentials to every call and a deadline to unary ones that have none; raises WorkerpoolError."""

    def __init__(self, credentials: Credentials | None, deadline_s: float) -> None:
        self._added = [("authorization", credentials.authorization)] if credentials else []
        self._deadline_s = deadline_s

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """Send a unary call."""
        timeout = self._deadline_s if client_call_details.timeout is None else client_call_details.timeout
        call = continuation(self._details(client_call_details, timeout), request)
        if _has_failed(call):
            raise WorkerpoolError.of(call) from call
        return call

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """Start a stream, which has no deadline of its own."""
        return _Stream(continuation(self._details(client_call_details, client_call_details.timeout), request))

    def _details(self, given: Any, timeout: float | None) -> _Details:
        return _Details(given, (*(given.metadata or ()), *self._added), timeout)


def _has_failed(call: Any) -> bool:
    """Return whether a call ended with an error. A future is an RpcError also while it runs, and with an answer."""
    return isinstance(call, grpc.RpcError) and call.done() and call.code() is not grpc.StatusCode.OK  # type: ignore[attr-defined]
