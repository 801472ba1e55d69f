"""The kind of a replicate's result, from its history: a success, an error result, or a plain failure.


A worker holds an error result when it reported COMPUTED or a failed download with a cause that the table of blame
treats as one. It waits for the decision of the scheduler.
"""

from typing import NamedTuple

from workerpool_poco.protocol.causes import ReplicateStatusCause
from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_core.domain.blame import is_error_result
from workerpool_core.domain.model import ErrorDecision, Replicate, ReplicateChange

_R = ReplicateStatus
DOWNLOAD_FAILURES = frozenset({_R.APP_DOWNLOAD_FAILED, _R.DATA_DOWNLOAD_FAILED})
OUTCOMES = DOWNLOAD_FAILURES | {_R.COMPUTED}
"""The statuses that decide the result, or that there is none."""


class Failure(NamedTuple):
    """A failure as the digest of an error result covers it; two workers with equal ones confirm each other."""

    status: ReplicateStatus
    cause: ReplicateStatusCause
    exit_code: int | None


def outcome(replicate: Replicate) -> ReplicateChange | None:
    """Return the entry of the history that decides the result; None before it."""
    return next((change for change in reversed(replicate.history) if change.status in OUTCOMES), None)


def failure_of(replicate: Replicate) -> Failure | None:
    """Return the failure that a replicate's error result stands for; None without an error result."""
    change = outcome(replicate)
    if change is None or change.cause is None or not is_error_result(change.cause):
        return None
    return Failure(change.status, change.cause, replicate.exit_code)


def is_failed(status: ReplicateStatus, cause: ReplicateStatusCause | None) -> bool:
    """Return whether an outcome is a plain failure, which leaves nothing to contribute."""
    if status in DOWNLOAD_FAILURES:
        return not is_error_result(cause)
    return status is _R.COMPUTED and cause is not None and not is_error_result(cause)


def awaits_decision(replicate: Replicate) -> bool:
    """Return whether a worker holds an error result that awaits its decision."""
    if replicate.error_decision is not None:
        return False
    last = replicate.last_relevant_change
    return last.status in OUTCOMES and last.cause is not None and is_error_result(last.cause)


def is_dropped(replicate: Replicate) -> bool:
    """Return whether the error result of a replicate was dropped."""
    return replicate.error_decision is ErrorDecision.ABORT
