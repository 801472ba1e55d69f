"""A finding: what was looked at, how it is, and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a look ended."""

    OK = "ok"
    WARNING = "warning"
    """The worker computes, but its operator should know."""
    PROBLEM = "problem"
    """The worker cannot start, gets no paid work, or loses results."""
    SKIPPED = "skipped"
    """Another problem hides it."""


class Code(StrEnum):
    """The stable names of findings, for scripts."""

    NONE = ""
    BAD_SETTING = "BAD_SETTING"
    SETTING_IGNORED = "SETTING_IGNORED"
    SECRET_EXPOSED = "SECRET_EXPOSED"
    WRONG_PASSWORD = "WRONG_PASSWORD"
    WALLET_UNUSABLE = "WALLET_UNUSABLE"
    BASE_FOLDER_UNUSABLE = "BASE_FOLDER_UNUSABLE"
    BASE_FOLDER_VOLATILE = "BASE_FOLDER_VOLATILE"
    BASE_FOLDER_UNSEEN = "BASE_FOLDER_UNSEEN"
    DISK_FULL = "DISK_FULL"
    MEMORY_LOW = "MEMORY_LOW"
    INTERNET_UNREACHABLE = "INTERNET_UNREACHABLE"
    NO_ENGINE = "NO_ENGINE"
    NO_RUNTIME = "NO_RUNTIME"
    NO_GPU = "NO_GPU"
    NETWORK_UNSAFE = "NETWORK_UNSAFE"
    CLOCK_WRONG = "CLOCK_WRONG"
    CORE_UNREACHABLE = "CORE_UNREACHABLE"
    WRONG_POOL = "WRONG_POOL"
    WRONG_VERSION = "WRONG_VERSION"
    NOT_WHITELISTED = "NOT_WHITELISTED"
    NO_WORK = "NO_WORK"
    CONFIG_SERVER_UNREACHABLE = "CONFIG_SERVER_UNREACHABLE"
    NODE_UNREACHABLE = "NODE_UNREACHABLE"
    WRONG_CHAIN = "WRONG_CHAIN"
    NO_STAKE = "NO_STAKE"
    NO_GAS = "NO_GAS"
    PROXY_UNREACHABLE = "PROXY_UNREACHABLE"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `remedy` tells how to mend a problem or a warning."""

    subject: str
    outcome: Outcome
    message: str
    code: Code = Code.NONE
    remedy: str = ""


def ok(subject: str, message: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(subject, Outcome.OK, message)


def problem(subject: str, code: Code, message: str, remedy: str) -> Finding:
    """Return a finding that keeps the worker from its work."""
    return Finding(subject, Outcome.PROBLEM, message, code, remedy)


def warning(subject: str, code: Code, message: str, remedy: str) -> Finding:
    """Return a finding that the operator should know."""
    return Finding(subject, Outcome.WARNING, message, code, remedy)


def skipped(subject: str, needs: str) -> Finding:
    """Return a finding that could not be made, because it needs something that fails itself."""
    return Finding(subject, Outcome.SKIPPED, f"not looked at: it needs {needs}")


def has_problem(findings: Iterable[Finding]) -> bool:
    """Return whether one of the findings is a problem."""
    return any(each.outcome is Outcome.PROBLEM for each in findings)
