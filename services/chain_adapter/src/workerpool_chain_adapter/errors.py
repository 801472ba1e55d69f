"""The errors of the chain adapter: one root, one class per cause; `reason` is machine-readable."""

from workerpool_kit import reasons
from workerpool_kit.errors import Kind, WorkerpoolError


class ChainAdapterError(WorkerpoolError):
    """Root of the adapter's errors."""


class CommandNotFound(ChainAdapterError):
    """The journal has no such command."""

    kind = Kind.NOT_FOUND
    reason = "COMMAND_NOT_FOUND"


class TargetNotFound(ChainAdapterError):
    """The deal or task is not on chain."""

    kind = Kind.NOT_FOUND


class Refused(ChainAdapterError):
    """The contract would revert in the current state of the chain."""

    kind = Kind.PRECONDITION


class BadArgument(ChainAdapterError):
    """An argument is invalid whatever the state of the chain."""

    kind = Kind.INVALID
    reason = reasons.INVALID_ARGUMENT


class ChainUnavailable(ChainAdapterError):
    """The node does not answer, so nothing can be checked or sent."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_UNREACHABLE"


class WalletInUse(Exception):
    """Another adapter holds the lease on the wallet."""


class LeaseLost(Exception):
    """Another adapter took over the wallet; this process must stop at once."""
