"""The errors a use case raises, free of any transport: gRPC and HTTP translate `kind` into their own codes."""

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """What class of problem an error is; each kind maps to one gRPC status code and one HTTP status."""

    INVALID = "invalid"
    """The request can never be accepted as it is."""
    NOT_FOUND = "not_found"
    """The named thing does not exist."""
    ALREADY_EXISTS = "already_exists"
    """The thing to create exists already, with other content."""
    UNAUTHENTICATED = "unauthenticated"
    """Credentials are missing, wrong or expired."""
    PERMISSION = "permission"
    """The caller is known but may not do this."""
    PRECONDITION = "precondition"
    """The request is fine but the present state forbids it; retrying alone does not help."""
    EXHAUSTED = "exhausted"
    """A quota or a queue is full."""
    UNAVAILABLE = "unavailable"
    """Something this needs is down; retrying later helps."""
    CONFLICT = "conflict"
    """Another change won the race; read again and retry."""
    INTERNAL = "internal"
    """A defect or an unexpected state; the caller can do nothing about it."""


class WorkerpoolError(Exception):
    """Root of all errors a caller may see. Services derive one root each, and one class per cause from that.

    `reason` is UPPER_SNAKE and stable: the protocol's own cause where there is one. `message` says what is wrong and
    what to do next, and reaches the caller, so it never holds a secret. `details` are small facts for programs.
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
