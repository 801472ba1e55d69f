"""Outages of a replica set (an election, a restart, no majority, refused credentials): recognised and retried."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import mongoengine
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure, WriteConcernError

from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.retry import Backoff, retry

T = TypeVar("T")

UNAUTHORIZED = (13, 18)
"""MongoDB's codes: unauthorized, authentication failed."""
_BACKOFF = Backoff(first_s=0.1, longest_s=0.3)
_NO_LONGER_PRIMARY = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436})
"""MongoDB's codes: shutdown in progress, primary stepped down, not writable primary, interrupted by either."""


class AccessRefused(AutoReconnect):
    """MongoDB refuses the user, the password or a right of this service, until an operator corrects them there."""


@contextmanager
def outages_as_autoreconnect() -> Iterator[None]:
    """Raise AutoReconnect for each error of a server that stops being the primary, lacks a majority or refuses access.

    The driver does so only for some of these errors. An interrupted write may have happened or not.
    """
    try:
        yield
    except (OperationFailure, mongoengine.OperationError) as error:
        # mongoengine wraps the driver's error in its own.
        refusal = error if isinstance(error, OperationFailure) else error.__context__
        if isinstance(refusal, OperationFailure) and refusal.code in UNAUTHORIZED:
            raise AccessRefused("MongoDB refuses the credentials or the rights of this service") from error
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
    """Return the result of `call`, repeated until the database answers.

    Only for idempotent calls: an attempt that failed may have had its effect.
    """
    return await retry(
        call, what="call the database", on=(AutoReconnect, DatabaseUnavailable), backoff=_BACKOFF
    )
