"""Errors of the devnet, one class per cause."""

from __future__ import annotations


class DevnetError(Exception):
    """Root of the errors of the devnet; the message says what to do next."""


class PackagesError(DevnetError):
    """The npm packages (anvil and the PoCo contracts) are missing and could not be installed."""


class ProcessError(DevnetError):
    """A process of the devnet could not start, ended during start, or did not become ready in time."""


class ChainError(DevnetError):
    """The local chain answered a JSON-RPC call with an error."""


class TransactionError(DevnetError):
    """A transaction was mined but reverted, or was not mined in time."""


class DatabaseError(DevnetError):
    """No usable MongoDB: no binary, a library it needs is missing, or it did not become primary."""


class OptionsError(DevnetError):
    """The options cannot work."""
