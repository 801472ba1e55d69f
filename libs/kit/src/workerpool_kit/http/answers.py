"""Answers of every HTTP port to a request that it refuses, in the form that the iExec SDK shows to its users."""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.grpc.errors import CODES

GRPC_STATUS = "Grpc-Status"
"""Header of each refusal: the number of the status with which gRPC refuses the same. It tells kinds apart that have one
status of HTTP, and a refusal of the service from one of a reverse proxy."""
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
    Kind.DATA_LOSS: 500,
    Kind.INTERNAL: 500,
}
"""The HTTP status of each kind of error, for routes that raise `WorkerpoolError`."""


def error_answer(
    code: str,
    sentence: str,
    status: int,
    *,
    headers: Mapping[str, str] | None = None,
    details: Mapping[str, str] | None = None,
) -> Response:
    """Return `{"error": "<code>: <sentence>", "code": "<code>"}`, with `details` when there are any.

    The SDK and its command line print only the key `error`, so that holds the sentence; programs read `code`.

    Args:
        code: UPPER_SNAKE and stable: the protocol's cause where the protocol has one.
        sentence: What is wrong and what to do next. It reaches the caller, so it never contains a secret.
        status: The HTTP status.
        headers: Further headers of the answer.
        details: Facts for programs.
    """
    body: dict[str, object] = {"error": f"{code}: {sentence}" if sentence else code, "code": code}
    if details:
        body["details"] = dict(details)
    return JSONResponse(body, status, headers)


def refusal(error: WorkerpoolError, status: int | None = None) -> Response:
    """Return the answer for an error of a use case; `status` replaces the one of its kind."""
    headers = {GRPC_STATUS: str(CODES[error.kind].value[0])}
    if error.kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Basic"
    return error_answer(
        error.reason,
        error.message,
        HTTP_STATUS[error.kind] if status is None else status,
        headers=headers,
        details=error.details,
    )
