"""Bodies of HTTP requests, read within limits: Starlette itself has none, neither of size nor of time."""

import asyncio

from starlette.requests import Request

from workerpool_kit.errors import Kind, WorkerpoolError

MAX_BODY_BYTES = 1 << 20
GRACE_S, SLOWEST_BYTES_PER_S = 30.0, 32 << 10
"""A body may take `GRACE_S` seconds, and more by its limit of size: a slow one holds a connection and its memory."""


class BodyTooLarge(WorkerpoolError):
    """The body of a request is larger than the limit."""

    kind = Kind.INVALID
    reason = "BODY_TOO_LARGE"


class BodyTooSlow(WorkerpoolError):
    """The body of a request does not arrive."""

    kind = Kind.INVALID
    reason = "BODY_TOO_SLOW"


async def read_body(request: Request, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Return the body of a request.

    Raises BodyTooLarge as soon as more than `max_bytes` bytes have arrived, BodyTooSlow when they take too long.
    """
    body = bytearray()
    limit_s = GRACE_S + max_bytes / SLOWEST_BYTES_PER_S
    try:
        async with asyncio.timeout(limit_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise BodyTooLarge(f"the body is larger than {max_bytes} bytes; send a smaller one")
    except TimeoutError:
        raise BodyTooSlow(
            f"the body did not arrive within {limit_s:.0f} s; send it over a faster connection"
        ) from None
    return bytes(body)
