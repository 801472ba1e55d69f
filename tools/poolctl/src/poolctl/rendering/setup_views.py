"""Findings of doctor, and the plan of init."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text
from workerpool_kit.text.plurals import counted
from workerpool_kit.text.printable import printable

from poolctl.domain.diagnosis.findings import Finding, Severity
from poolctl.rendering.tables import note, pairs

if TYPE_CHECKING:
    from rich.console import RenderableType

_STYLES = {
    Severity.OK: "green",
    Severity.WARNING: "yellow",
    Severity.PROBLEM: "bold red",
    Severity.SKIPPED: "dim",
}


def findings_view(findings: Sequence[Finding], *, every: bool) -> Iterator["RenderableType"]:
    """Show findings with what, why and what to do; those that need nothing only when `every` is set."""
    for each in findings:
        if not every and each.severity in (Severity.OK, Severity.SKIPPED):
            continue
        line = Text()
        line.append(f"{each.severity.value:<8}", _STYLES[each.severity])
        line.append(printable(each.message))
        if each.code:
            line.append(f"  [{each.code}]", "dim")
        yield line
        if each.why:
            yield Text(f"{'':<8}why: {printable(each.why)}")
        if each.next_step:
            yield Text(f"{'':<8}do:  {printable(each.next_step)}", "bold")
    yield note(summary(findings), "")


def summary(findings: Sequence[Finding]) -> str:
    """Return in one sentence how the pool is."""
    of = [each.severity for each in findings]
    problems, warnings, skipped = (
        of.count(each) for each in (Severity.PROBLEM, Severity.WARNING, Severity.SKIPPED)
    )
    unseen = f"; {skipped} checks were not possible" if skipped else ""
    if not problems and not warnings:
        return f"No problem found in {counted(of.count(Severity.OK), 'check')}{unseen}."
    order = "; fix the problems from top to bottom" if problems > 1 else ""
    return f"{counted(problems, 'problem')} and {counted(warnings, 'warning')}{order}{unseen}."


def plan_view(document: Mapping[str, Any]) -> Iterator["RenderableType"]:
    """Show the steps of init: what was there, what was done, or what a run would do."""
    executed = document["executed"]
    for step in document["steps"]:
        word = "kept" if step["was_done"] else ("done" if executed else "would do")
        line = Text(f"{word:<10}", style="dim" if step["was_done"] else "green")
        line.append(printable(step["what"]), style="")
        if step["transaction"]:
            line.append(f"  {step['transaction']}", style="dim")
        yield line
    yield pairs(
        [("workerpool", document["pool"]), ("owner", document["owner"]), ("worker", document["worker"])]
    )
    if executed:
        yield note(
            "Next: docker compose up -d, then poolctl doctor. Keep a copy of the wallets and of secrets/."
        )
