"""The findings of `poolctl doctor`: their codes, and that each problem says what follows from it."""

from enum import StrEnum

from workerpool_kit.text import findings
from workerpool_kit.text.findings import Finding, Severity, has_problem, ok, skipped

__all__ = ["Code", "Finding", "Severity", "has_problem", "ok", "problem", "skipped", "warning"]


class Code(StrEnum):
    """The stable names of findings, for scripts."""

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


def problem(subject: str, code: Code, message: str, why: str, next_step: str) -> Finding:
    """Return a finding that must be fixed."""
    return findings.problem(subject, code, message, next_step, why=why)


def warning(subject: str, code: Code, message: str, why: str, next_step: str) -> Finding:
    """Return a finding that the operator should know."""
    return findings.warning(subject, code, message, next_step, why=why)
