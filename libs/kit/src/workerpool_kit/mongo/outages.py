"""Outages of a replica set (an election, a restart, no majority): recognised and retried."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import mongoengine
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure, WriteConcernError

from workerpool_kit.retry import Backoff, retry

T = TypeVar("T")

_RETRY_LIMIT_S = 60.0
_BACKOFF = Backoff(first_s=0.1, longest_s=0.3)
_NO_LONGER_PRIMARY = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436})
"""MongoDB's codes: shutdown in progress, primary stepped down, not writable primary, interrupted by either."""


@contextmanager
def outages_as_autoreconnect() -> Iterator[None]:
    """Raise AutoReconnect for every error of a server that stops being the primary or finds no majority.

    The driver does so only for some of these errors. An interrupted write may have happened or not.
    """
    try:
        yield
    except (OperationFailure, mongoengine.OperationError) as error:
        # mongoengine wraps the driver's error in its own.
        refusal = error if isinstance(error, OperationFailure) else error.__context__
        if isinstance(refusal, OperationFailure) and _is_outage(refusal):
            raise AutoReconnect(f"the server is no longer the primary: {refusal}") from error
        raise


def _is_outage(error: OperationFailure) -> bool:
    if not isinstance(error, BulkWriteError):
        return isinstance(error, WriteConcernError) or error.code in _NO_LONGER_PRIMARY
    details = error.details or {}
    refused = {item["code"] for item in details.get("writeErrors", ())}
    return bool(details.get("writeConcernErrors")) or not refused.isdisjoint(_NO_LONGER_PRIMARY)


async def retry_outages(call: Callable[[], Awaitable[T]]) -> T:
    """Return the result of `call`, repeated for up to a minute while the database has no primary.

    Only for idempotent calls: the first attempt may have had its effect. Raises AutoReconnect.
    """
    return await retry(
        call, what="call the database", on=AutoReconnect, backoff=_BACKOFF, timeout_s=_RETRY_LIMIT_S
    )
