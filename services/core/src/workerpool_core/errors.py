"""Everything core refuses or fails on: one root, one class per cause."""

from workerpool_kit import reasons
from workerpool_kit.errors import Kind, WorkerpoolError


class CoreError(WorkerpoolError):
    """Root of core's own errors."""


class StoreDiverged(CoreError):
    """The store does not hold what the scheduler's memory was built on; only a new start makes them agree.

    Somebody else writes to the database, or there is a defect. `details` names the documents.
    """

    reason = "STORE_DIVERGED"


class UnknownTask(CoreError):
    """No deal of this pool holds the task."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_TASK"


class UnknownReplicate(CoreError):
    """The worker never took part in the task."""

    kind = Kind.NOT_FOUND
    reason = reasons.UNKNOWN_REPLICATE


class UnknownWorker(CoreError):
    """No worker with this wallet ever registered."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_WORKER"


class BadPageToken(CoreError):
    """A page token is not one that this service gave out."""

    kind = Kind.INVALID
    reason = "BAD_PAGE_TOKEN"


class NotWhitelisted(CoreError):
    """The pool has a whitelist, and the wallet is not on it."""

    kind = Kind.PERMISSION
    reason = "NOT_WHITELISTED"


class BadChallenge(CoreError):
    """There is no open challenge for the wallet: it was used, it expired, or it was never asked for."""

    kind = Kind.UNAUTHENTICATED
    reason = "BAD_CHALLENGE"


class BadSignature(CoreError):
    """A challenge was not signed by the wallet that it was made for."""

    kind = Kind.UNAUTHENTICATED
    reason = "BAD_SIGNATURE"


class NotTheRequester(CoreError):
    """Compute logs belong to the requester of the task alone."""

    kind = Kind.PERMISSION
    reason = "NOT_THE_REQUESTER"


class OperatorDisabled(CoreError):
    """The operator's methods are closed because no operator credentials are configured."""

    kind = Kind.PERMISSION
    reason = "OPERATOR_DISABLED"


class HelloExpected(CoreError):
    """The first message of a worker's stream must be Hello, and only the first."""

    kind = Kind.INVALID
    reason = "HELLO_EXPECTED"


class BadProtocolVersion(CoreError):
    """The worker speaks another version of the stream's rules."""

    kind = Kind.PRECONDITION
    reason = "BAD_PROTOCOL_VERSION"


class ServiceStarting(CoreError):
    """The scheduler has not finished starting; the message says what it waits for."""

    kind = Kind.UNAVAILABLE
    reason = "SERVICE_STARTING"


class ForeignReplicate(CoreError):
    """A worker speaks of a replicate that is not its own."""

    kind = Kind.PERMISSION
    reason = reasons.FOREIGN_REPLICATE


class BadRequest(CoreError):
    """Something in an HTTP request is not what it should be."""

    kind = Kind.INVALID
    reason = reasons.INVALID_ARGUMENT


class NumberTooLarge(CoreError):
    """A number in a message is larger than anything real, and than the database can hold."""

    kind = Kind.INVALID
    reason = "NUMBER_TOO_LARGE"
