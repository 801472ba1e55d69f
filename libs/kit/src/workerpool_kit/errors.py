"""Errors of use cases, independent of transport: gRPC and HTTP map `kind` to their status codes."""

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """The class of a problem; each kind maps to one gRPC status code and one HTTP status."""

    INVALID = "invalid"
    """The request can never be accepted as it is."""
    NOT_FOUND = "not_found"
    """The named object does not exist."""
    ALREADY_EXISTS = "already_exists"
    """The object to create exists already with other content."""
    UNAUTHENTICATED = "unauthenticated"
    """Credentials are missing, wrong or expired."""
    PERMISSION = "permission"
    """The caller is known but may not do this."""
    PRECONDITION = "precondition"
    """The request is valid, but the current state forbids it; a retry alone does not help."""
    EXHAUSTED = "exhausted"
    """A quota or a queue is full."""
    UNAVAILABLE = "unavailable"
    """A dependency is down; a later retry helps."""
    CONFLICT = "conflict"
    """A concurrent change took precedence; read again and retry."""
    DATA_LOSS = "data_loss"
    """Stored data is missing or damaged; a retry does not help."""
    INTERNAL = "internal"
    """A defect or an unexpected state; the caller cannot correct it."""


class WorkerpoolError(Exception):
    """Root of all errors that a caller may see. Each service derives one root, and one class per cause from it.

    `reason` is UPPER_SNAKE and stable; it is the protocol's cause where the protocol has one. `message` says what is
    wrong and what to do next; it reaches the caller, so it never contains a secret. `details` are facts for programs.
    """

    kind: ClassVar[Kind] = Kind.INTERNAL
    reason: str = "INTERNAL"

    def __init__(
        self, message: str = "", *, reason: str | None = None, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, str] = {key: str(value) for key, value in (details or {}).items()}
        if reason is not None:
            self.reason = reason


class Unauthenticated(WorkerpoolError):
    """Credentials are missing or wrong."""

    kind = Kind.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class PermissionDenied(WorkerpoolError):
    """The caller's roles do not allow this method."""

    kind = Kind.PERMISSION
    reason = "PERMISSION_DENIED"


class DatabaseUnavailable(WorkerpoolError):
    """No primary of the database answers; the service waits for it, and a retry helps."""

    kind = Kind.UNAVAILABLE
    reason = "DATABASE_UNREACHABLE"
