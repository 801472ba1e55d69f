"""Texts of the commands: findings as lines, and the exit codes that `--help` explains."""

from collections.abc import Iterable, Iterator

from workerpool_worker.domain.diagnosis.findings import Finding, Outcome

EXIT_OK, EXIT_FAILED, EXIT_SETTINGS, EXIT_NOT_RUNNING, EXIT_UPDATE = 0, 1, 2, 3, 4
EXIT_CODES = """\
Exit codes: 0 done, or nothing found; 1 refused, failed, or a problem found; 2 unusable arguments or environment (one
line per variable); 3 no worker runs here; 4 the pool requires another version (update-check).
"""
ABOUT = """\
Run a worker of an iExec workerpool on this host, and look after it.

A worker computes tasks in Docker containers, puts their results on chain with its own wallet, and earns RLC.
Every setting is an environment variable: poolworker run --help lists them, an env file of systemd or
Docker holds them, and the other commands read the same ones.

First steps:

1. poolworker wallet create: make a wallet; send it coins for gas, and RLC.

2. poolworker stake 10: deposit RLC in the hub, which tasks with a price require.

3. poolworker check: find what is missing, with the remedy of each finding.

4. poolworker run: work. poolworker status: see what it does and earns.
"""
_MARKS = {
    Outcome.OK: "ok",
    Outcome.WARNING: "warning",
    Outcome.PROBLEM: "PROBLEM",
    Outcome.SKIPPED: "skipped",
}

_ESCAPES = {"\n": " ", "\r": " ", "\t": " "}


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield findings as lines of text, each remedy below its finding."""
    for each in findings:
        code = f" [{each.code.value}]" if each.code else ""
        yield f"{_MARKS[each.outcome]:<8} {each.subject:<14} {each.message}{code}"
        if each.remedy:
            yield f"{'':<8} {'':<14} -> {each.remedy}"


def summary(findings: Iterable[Finding]) -> str:
    """Return how many problems and warnings there are."""
    outcomes = [each.outcome for each in findings]
    problems, warnings = outcomes.count(Outcome.PROBLEM), outcomes.count(Outcome.WARNING)
    told = _counted(warnings, "warning")
    if not problems:
        return f"This host can work; {told}." if warnings else "This host can work."
    order = "mend the problems from top to bottom" if problems > 1 else "mend the problem"
    return f"{_counted(problems, 'problem')} and {told}; {order}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """Return a text as one line that cannot steer a terminal: services and files of others wrote parts of it."""
    return "".join(each if each.isprintable() else _ESCAPES.get(each, f"\\x{ord(each):02x}") for each in text)
