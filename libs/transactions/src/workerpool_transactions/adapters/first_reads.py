"""Reads of a starting process, which waits for its node however often the node is lost in between."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from workerpool_kit.retry import Backoff, retry
from workerpool_poco.errors import ChainUnreachable, EmptyAnswer, RpcError

T = TypeVar("T")

BACKOFF = Backoff(first_s=0.1, longest_s=2.0)


async def read_until_answered(
    read: Callable[[], Awaitable[T]],
    *,
    what: str,
    on_failure: Callable[[Exception], None] | None = None,
    timeout_s: float | None = None,
    backoff: Backoff = BACKOFF,
) -> T:
    """Return what a read of the chain returns, repeated while the node does not answer.

    An answer that another request would not change, such as a hub that does not exist, raises at once. After
    `timeout_s` seconds the last failure raises: `ChainUnreachable`, `RpcError` or `EmptyAnswer`.

    Args:
        read: one or more reads, called again for each attempt.
        what: names the read in the log, such as `connect to the node`.
        on_failure: called with each failure that will be repeated, for instance to report bad health.
        timeout_s: limit of the whole time, in seconds; None waits without end.
        backoff: the pauses.
    """
    return await retry(
        read, what=what, on=is_outage, backoff=backoff, timeout_s=timeout_s, on_failure=on_failure
    )


def is_outage(error: Exception) -> bool:
    """Return whether an error is about the node's state, which is temporary, and not about the chain's."""
    return isinstance(error, ChainUnreachable | RpcError | EmptyAnswer)
