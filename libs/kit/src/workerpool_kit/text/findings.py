"""Findings of a command that checks a host or a pool: what was checked, its state, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    """It works, but its operator should act soon."""
    PROBLEM = "problem"
    """A part does not work, or is open to strangers."""
    SKIPPED = "skipped"
    """It could not be checked, because something that the check needs has failed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    subject: str
    """The service or thing that was checked."""
    severity: Severity
    message: str
    """What was found, in one sentence."""
    code: str = ""
    """The stable name of a problem or warning, for scripts: a value of the command's own enumeration."""
    why: str = ""
    """Its consequence or its cause."""
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
    """Return a finding that needs no action."""
    return Finding(subject, Severity.OK, message)


def problem(subject: str, code: str, message: str, next_step: str, *, why: str = "") -> Finding:
    """Return a finding that must be fixed."""
    return Finding(subject, Severity.PROBLEM, message, code, why, next_step)


def warning(subject: str, code: str, message: str, next_step: str, *, why: str = "") -> Finding:
    """Return a finding that the operator should know."""
    return Finding(subject, Severity.WARNING, message, code, why, next_step)


def skipped(subject: str, needs: str) -> Finding:
    """Return a finding for a check that was skipped."""
    return Finding(subject, Severity.SKIPPED, f"not checked: it needs {needs}")


def has_problem(findings: Iterable[Finding]) -> bool:
    """Return whether one of the findings is a problem."""
    return any(each.severity is Severity.PROBLEM for each in findings)
