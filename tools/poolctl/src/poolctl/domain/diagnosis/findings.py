"""A finding of `poolctl doctor`: what, why, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    """The pool works; its operator should act before it does not."""
    PROBLEM = "problem"
    """A part of the pool does not work, or is open to strangers."""
    SKIPPED = "skipped"
    """It could not be looked at, because something that it needs fails itself."""


class Code(StrEnum):
    """The stable names of findings, for scripts."""

    NONE = ""
    PORT_CLOSED = "PORT_CLOSED"
    SERVICE_UNREACHABLE = "SERVICE_UNREACHABLE"
    SERVICE_UNHEALTHY = "SERVICE_UNHEALTHY"
    MONGO_DOWN = "MONGO_DOWN"
    DISK_FULL = "DISK_FULL"
    CLOCK_SKEW = "CLOCK_SKEW"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    CERTIFICATE_EXPIRES_SOON = "CERTIFICATE_EXPIRES_SOON"
    CERTIFICATE_WRONG = "CERTIFICATE_WRONG"
    DEFAULT_PASSWORD = "DEFAULT_PASSWORD"
    SECRET_EXPOSED = "SECRET_EXPOSED"
    CREDENTIALS_REFUSED = "CREDENTIALS_REFUSED"
    NODE_UNREACHABLE = "NODE_UNREACHABLE"
    WRONG_CHAIN = "WRONG_CHAIN"
    CHAIN_BEHIND = "CHAIN_BEHIND"
    WRONG_POOL = "WRONG_POOL"
    WRONG_POOL_OWNER = "WRONG_POOL_OWNER"
    EMPTY_WALLET = "EMPTY_WALLET"
    WALLET_PARKED = "WALLET_PARKED"
    LOW_STAKE = "LOW_STAKE"
    NO_WORKERS = "NO_WORKERS"
    VERSIONS_DIFFER = "VERSIONS_DIFFER"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    subject: str
    """The service or thing that was looked at."""
    severity: Severity
    what: str
    """What was found, in one sentence."""
    code: Code = Code.NONE
    why: str = ""
    """What follows from it, or what it comes from."""
    next_step: str = ""


def ok(subject: str, what: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(subject, Severity.OK, what)


def problem(subject: str, code: Code, what: str, why: str, next_step: str) -> Finding:
    """Return a finding that must be mended."""
    return Finding(subject, Severity.PROBLEM, what, code, why, next_step)


def warning(subject: str, code: Code, what: str, why: str, next_step: str) -> Finding:
    """Return a finding that the operator should know."""
    return Finding(subject, Severity.WARNING, what, code, why, next_step)


def skipped(subject: str, needs: str) -> Finding:
    """Return that something was not looked at."""
    return Finding(subject, Severity.SKIPPED, f"not looked at: it needs {needs}")


def has_problem(findings: Iterable[Finding]) -> bool:
    """Return whether one of the findings is a problem."""
    return any(each.severity is Severity.PROBLEM for each in findings)
