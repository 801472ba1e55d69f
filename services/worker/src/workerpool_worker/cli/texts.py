"""Texts of the commands: findings as lines, and the exit codes that `--help` explains."""

from collections.abc import Iterable, Iterator

from workerpool_kit.text.plurals import counted

from workerpool_worker.domain.diagnosis.findings import Finding, Severity

EXIT_OK, EXIT_FAILED, EXIT_SETTINGS, EXIT_NOT_RUNNING, EXIT_UPDATE = 0, 1, 2, 3, 4
EXIT_CODES = """\
Exit codes: 0 done, or nothing found; 1 refused, failed, or a problem found; 2 unusable arguments or environment (one
line per variable); 3 no worker runs here; 4 the pool requires another version (update-check).
"""
ABOUT = """\
Run and manage a worker of an iExec workerpool on this host.

A worker computes tasks in Docker containers, contributes their results on chain with its own wallet, and earns RLC.
Every setting is an environment variable: poolworker run --help lists them, an env file of systemd or
Docker holds them, and the other commands read the same ones.

First steps:

1. poolworker wallet create: create a wallet; send it coins for gas, and RLC.

2. poolworker stake 10: deposit RLC in the hub, which tasks with a price require.

3. poolworker check: find what is missing, and how to fix it.

4. poolworker run: start the worker. poolworker status: see what it does and earns.
"""
_MARKS = {
    Severity.OK: "ok",
    Severity.WARNING: "warning",
    Severity.PROBLEM: "PROBLEM",
    Severity.SKIPPED: "skipped",
}


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield findings as lines of text, each remedy below its finding."""
    for each in findings:
        code = f" [{each.code}]" if each.code else ""
        yield f"{_MARKS[each.severity]:<8} {each.subject:<14} {each.message}{code}"
        if each.next_step:
            yield f"{'':<8} {'':<14} -> {each.next_step}"


def summary(findings: Iterable[Finding]) -> str:
    """Return how many problems and warnings there are."""
    outcomes = [each.severity for each in findings]
    problems, warnings = outcomes.count(Severity.PROBLEM), outcomes.count(Severity.WARNING)
    counted_warnings = counted(warnings, "warning")
    if not problems:
        return f"This host can work; {counted_warnings}." if warnings else "This host can work."
    order = "fix the problems from top to bottom" if problems > 1 else "fix the problem"
    return f"{counted(problems, 'problem')} and {counted_warnings}; {order}."
