"""Refusals of a token request, in the order of the checks (worker spec C)."""

from workerpool_kit import reasons
from workerpool_kit.errors import Kind

from workerpool_result_proxy.errors.base import ResultProxyError


class NotSelfSigned(ResultProxyError):
    """The request is not signed by the worker of the authorization."""

    kind = Kind.UNAUTHENTICATED
    reason = "NOT_SIGNED_BY_WORKER"


class WrongAudience(ResultProxyError):
    """The request is signed for another service."""

    kind = Kind.UNAUTHENTICATED
    reason = "WRONG_AUDIENCE"


class ChallengeInvalid(ResultProxyError):
    """The nonce is not of this proxy, of another worker or task, or has expired."""

    kind = Kind.UNAUTHENTICATED
    reason = "BAD_CHALLENGE"


class EmptyAuthorization(ResultProxyError):
    """Wallet, task or signature of the authorization is empty (all zeros)."""

    kind = Kind.INVALID
    reason = "EMPTY_PARAMS_UNAUTHORIZED"


class TaskNotOnChain(ResultProxyError):
    """The task is not on chain."""

    kind = Kind.NOT_FOUND
    reason = reasons.GET_CHAIN_TASK_FAILED


class FinalDeadlineReached(ResultProxyError):
    """The task's final deadline has passed: it cannot be finalized."""

    kind = Kind.PRECONDITION
    reason = "TASK_FINAL_DEADLINE_REACHED"


class DealNotOnChain(ResultProxyError):
    """The deal of the task is not on chain."""

    kind = Kind.NOT_FOUND
    reason = reasons.GET_CHAIN_DEAL_FAILED


class WrongPool(ResultProxyError):
    """This proxy serves one workerpool, and the deal belongs to another."""

    kind = Kind.PERMISSION
    reason = "WRONG_WORKERPOOL"


class EnclaveMismatch(ResultProxyError):
    """The authorization has an enclave challenge and the deal's tag requires none, or the reverse."""

    kind = Kind.PERMISSION
    reason = "NO_MATCH_ONCHAIN_TYPE"


class NotSignedByPoolOwner(ResultProxyError):
    """The authorization is not signed by the owner of the deal's workerpool."""

    kind = Kind.PERMISSION
    reason = "INVALID_SIGNATURE"


class TooManyAuthorizations(ResultProxyError):
    """The task has the authorizations of as many workers as one task can have."""

    kind = Kind.EXHAUSTED
    reason = "TOO_MANY_AUTHORIZATIONS"


class ChainNotServed(ResultProxyError):
    """The caller named another chain than that of this proxy."""

    kind = Kind.INVALID
    reason = "WRONG_CHAIN"


class LoginNotSigned(ResultProxyError):
    """The login challenge is not signed by the address that logs in."""

    kind = Kind.UNAUTHENTICATED
    reason = "NOT_SIGNED_BY_REQUESTER"


class BadHttpRequest(ResultProxyError):
    """A part of an HTTP request is missing or malformed."""

    kind = Kind.INVALID
    reason = "BAD_REQUEST"
