"""Errors on the wire: `WorkerpoolError` to a status with `google.rpc.ErrorInfo`, and a status back to its reason."""

from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from workerpool_kit.errors import Kind, WorkerpoolError

DOMAIN = "workerpool"
"""The `domain` of every ErrorInfo this project sends."""

NEXT_STEP = "next_step"
"""Key of ErrorInfo's metadata: what the caller can do, for clients that show it apart from the cause."""

_DETAILS_KEY = "grpc-status-details-bin"
# Trailing metadata is limited to 8 KiB. It contains the message twice and the next step once, mostly in base64.
_LONGEST_MESSAGE = 1_500
_SEPARATOR = "; "

CODES: dict[Kind, grpc.StatusCode] = {
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.PERMISSION: grpc.StatusCode.PERMISSION_DENIED,
    Kind.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.CONFLICT: grpc.StatusCode.ABORTED,
    Kind.DATA_LOSS: grpc.StatusCode.DATA_LOSS,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
}
"""The status code of each kind of error."""

STEPS: dict[Kind, str] = {
    Kind.INVALID: "correct the request",
    Kind.NOT_FOUND: "check the id and the pool",
    Kind.ALREADY_EXISTS: "use another name, or keep what exists",
    Kind.UNAUTHENTICATED: "correct the credentials",
    Kind.PERMISSION: "call with credentials that have the right, or ask the pool's operator",
    Kind.PRECONDITION: "correct the state that the message names, then repeat the call",
    Kind.EXHAUSTED: "retry later",
    Kind.UNAVAILABLE: "retry in a few seconds",
    Kind.CONFLICT: "read it again and retry",
    Kind.DATA_LOSS: "ask the pool's operator",
    Kind.INTERNAL: "ask the pool's operator to read the log of the service",
}
"""The next step after an error of each kind whose message names none."""


def next_step(message: str, kind: Kind) -> str:
    """Return what the caller can do: the part of `cause; next step` after the first `; `, else that of the kind."""
    return message.partition(_SEPARATOR)[2] or STEPS[kind]


async def abort(
    context: "grpc.aio.ServicerContext[Any, Any]", error: WorkerpoolError, code: grpc.StatusCode | None = None
) -> None:
    """End the call with the status of `error`, or with `code` if given. Always raises `grpc.aio.AbortError`.

    The status has the whole message; its ErrorInfo has the reason, the details and the next step.
    """
    code = code or CODES[error.kind]
    message = error.message[:_LONGEST_MESSAGE]
    facts = {**error.details, NEXT_STEP: next_step(message, error.kind)}
    info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=facts)
    status = Status(code=code.value[0], message=message)
    packed = any_pb2.Any()
    packed.Pack(info)
    status.details.append(packed)
    await context.abort(code, message, ((_DETAILS_KEY, status.SerializeToString()),))


def error_info(err: grpc.aio.AioRpcError) -> ErrorInfo | None:
    """Return the ErrorInfo that a server of this project attached to a failed call, None without one."""
    metadata: Any = err.trailing_metadata() or ()
    for key, value in metadata:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                details = Status.FromString(value).details
            except DecodeError:
                return None
            for packed in details:
                info = ErrorInfo()
                if packed.Unpack(info):
                    return info
    return None


def error_reason(err: grpc.aio.AioRpcError) -> str | None:
    """Return the reason (UPPER_SNAKE cause) of a failed call, None without one."""
    info = error_info(err)
    return info.reason if info else None
