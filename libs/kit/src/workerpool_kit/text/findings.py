"""Findings of a command that looks at a host or a pool: what was looked at, how it is, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    """It works; its operator should act before it does not."""
    PROBLEM = "problem"
    """A part does not work, or is open to strangers."""
    SKIPPED = "skipped"
    """It could not be looked at, because something that it needs fails itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    subject: str
    """The service or thing that was looked at."""
    severity: Severity
    message: str
    """What was found, in one sentence."""
    code: str = ""
    """The stable name of a problem or warning, for scripts: a value of the command's own enumeration."""
    why: str = ""
    """What follows from it, or what it comes from."""
    next_step: str = ""

    def document(self) -> dict[str, str]:
        """Return the finding as JSON and YAML show it."""
        return {
            "subject": self.subject,
            "severity": self.severity.value,
            "message": self.message,
            "code": str(self.code),
            "why": self.why,
            "next_step": self.next_step,
        }


def ok(subject: str, message: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(subject, Severity.OK, message)


def problem(subject: str, code: str, message: str, next_step: str, *, why: str = "") -> Finding:
    """Return a finding that must be mended."""
    return Finding(subject, Severity.PROBLEM, message, code, why, next_step)


def warning(subject: str, code: str, message: str, next_step: str, *, why: str = "") -> Finding:
    """Return a finding that the operator should know."""
    return Finding(subject, Severity.WARNING, message, code, why, next_step)


def skipped(subject: str, needs: str) -> Finding:
    """Return that something was not looked at."""
    return Finding(subject, Severity.SKIPPED, f"not looked at: it needs {needs}")


def has_problem(findings: Iterable[Finding]) -> bool:
    """Return whether one of the findings is a problem."""
    return any(each.severity is Severity.PROBLEM for each in findings)
