"""What a caller of the chain adapter can get wrong, and what can stand in its way."""

from workerpool_kit.errors import Kind, WorkerpoolError


class ChainAdapterError(WorkerpoolError):
    """Root of the adapter's errors."""


class CommandNotFound(ChainAdapterError):
    """The journal holds no such command."""

    kind = Kind.NOT_FOUND
    reason = "COMMAND_NOT_FOUND"


class TargetNotFound(ChainAdapterError):
    """The chain knows no such deal or task."""

    kind = Kind.NOT_FOUND


class Refused(ChainAdapterError):
    """The contract would revert: the present state of the chain forbids the command."""

    kind = Kind.PRECONDITION


class BadArgument(ChainAdapterError):
    """An argument can never be right."""

    kind = Kind.INVALID
    reason = "INVALID_ARGUMENT"


class OutOfGas(ChainAdapterError):
    """The wallet cannot pay for the transaction."""

    kind = Kind.PRECONDITION
    reason = "OUT_OF_GAS"


class ChainUnavailable(ChainAdapterError):
    """The node does not answer, so nothing can be checked or sent now."""

    kind = Kind.UNAVAILABLE
    reason = "CHAIN_UNREACHABLE"
