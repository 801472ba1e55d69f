"""The root of the result proxy's errors, and failures of its dependencies."""

from workerpool_kit.errors import Kind, WorkerpoolError


class ResultProxyError(WorkerpoolError):
    """Root of the result proxy's errors."""


class ChainUnreachable(ResultProxyError):
    """The node does not answer, so nothing can be checked."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_UNREACHABLE"
