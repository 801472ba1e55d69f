"""The errors of core: one root, one class per cause."""

from workerpool_kit import reasons
from workerpool_kit.errors import Kind, WorkerpoolError


class CoreError(WorkerpoolError):
    """The root of core's errors."""


class StoreDiverged(CoreError):
    """The store differs from the scheduler's memory; only a restart makes them agree.

    Another process writes to the database, or core has a defect. `details` names the documents.
    """

    reason = "STORE_DIVERGED"


class UnknownTask(CoreError):
    """No deal of this pool contains the task."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_TASK"


class UnknownDeal(CoreError):
    """Core created no task of the deal."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_DEAL"


class UnknownReplicate(CoreError):
    """The worker has no replicate of the task."""

    kind = Kind.NOT_FOUND
    reason = reasons.UNKNOWN_REPLICATE


class UnknownWorker(CoreError):
    """No worker with this wallet has registered."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_WORKER"


class UnknownWorkerpool(CoreError):
    """The compass was asked for another workerpool or another chain."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_WORKERPOOL"


class BadPageToken(CoreError):
    """A page token is not from this service."""

    kind = Kind.INVALID
    reason = "BAD_PAGE_TOKEN"


class NotWhitelisted(CoreError):
    """The pool has a whitelist, and the wallet is not on it."""

    kind = Kind.PERMISSION
    reason = "NOT_WHITELISTED"


class BadChallenge(CoreError):
    """The wallet has no open challenge: it was used, has expired, or was never requested."""

    kind = Kind.UNAUTHENTICATED
    reason = "BAD_CHALLENGE"


class BadSignature(CoreError):
    """The signature of a challenge is not from its wallet."""

    kind = Kind.UNAUTHENTICATED
    reason = "BAD_SIGNATURE"


class NotTheRequester(CoreError):
    """Only the requester of a task may read its compute logs."""

    kind = Kind.PERMISSION
    reason = "NOT_THE_REQUESTER"


class OperatorDisabled(CoreError):
    """The operator's methods are disabled because no operator credentials are configured."""

    kind = Kind.PERMISSION
    reason = "OPERATOR_DISABLED"


class SignInRequired(CoreError):
    """The operator's session on the page has ended."""

    kind = Kind.UNAUTHENTICATED
    reason = "SIGN_IN_REQUIRED"


class FormExpired(CoreError):
    """A form on the operator's page is from an earlier session, or from another site."""

    kind = Kind.PERMISSION
    reason = "FORM_EXPIRED"


class HelloExpected(CoreError):
    """Hello must be the first message of a worker's stream, and no later one."""

    kind = Kind.INVALID
    reason = "HELLO_EXPECTED"


class BadProtocolVersion(CoreError):
    """The worker speaks another version of the stream protocol."""

    kind = Kind.PRECONDITION
    reason = "BAD_PROTOCOL_VERSION"


class ServiceStarting(CoreError):
    """The scheduler is still starting; the message names the step in progress."""

    kind = Kind.UNAVAILABLE
    reason = "SERVICE_STARTING"


class AdapterUnavailable(CoreError):
    """The chain adapter does not answer, or refuses core's credentials."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_ADAPTER_UNAVAILABLE"


class ForeignReplicate(CoreError):
    """A worker refers to a replicate that is not its own."""

    kind = Kind.PERMISSION
    reason = reasons.FOREIGN_REPLICATE


class BadRequest(CoreError):
    """A part of an HTTP request is missing or malformed."""

    kind = Kind.INVALID
    reason = reasons.INVALID_ARGUMENT


class NumberTooLarge(CoreError):
    """A number in a message exceeds the integers of the database."""

    kind = Kind.INVALID
    reason = "NUMBER_TOO_LARGE"
