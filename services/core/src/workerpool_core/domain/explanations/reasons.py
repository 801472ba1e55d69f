"""The table of reasons: the meaning of each code, the side at fault, its evidence, and what would change it."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import ReplicateStatusCause, Side

from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.table.failures import FAILURES
from workerpool_core.domain.explanations.table.meaning import COUNTS, Meaning, Subject
from workerpool_core.domain.explanations.table.pool import POOL
from workerpool_core.domain.explanations.table.tasks import TASKS
from workerpool_core.domain.explanations.table.workers import WORKERS

__all__ = ["REASONS", "Meaning", "Subject", "document", "reason"]

REASONS: Mapping[ReasonCode, Meaning] = {**TASKS, **FAILURES, **WORKERS, **POOL}
"""The row of each code."""


_NO_EVIDENCE: Mapping[str, object] = {}


def reason(
    code: ReasonCode,
    message: str = "",
    *,
    next_step: str = "",
    side: Side | None = None,
    until: float = 0.0,
    cause: ReplicateStatusCause | None = None,
    exit_code: int | None = None,
    evidence: Mapping[str, object] = _NO_EVIDENCE,
) -> Explanation:
    """Return a reason; the table supplies the parts that the caller omits.

    The cause and the exit code are added to the evidence. Evidence that is None or empty is omitted.
    """
    row = REASONS[code]
    named: dict[str, object] = {
        "cause": cause.value if cause is not None else None,
        "exit_code": exit_code,
        **evidence,
    }
    pairs = tuple((key, str(value)) for key, value in named.items() if value not in (None, ""))
    return Explanation(
        message or row.meaning,
        side or row.side,
        next_step or row.next_step,
        cause,
        exit_code,
        code,
        pairs,
        until if until < float("inf") else 0.0,
    )


def document() -> str:
    """Return the table as Markdown, for docs/reasons.md."""
    named = ", ".join(f"`{key}`" for key in COUNTS)
    parts = [f"*The counts* are the numbers of workers by what keeps the task from them: {named}.\n"]
    for subject in Subject:
        parts.append(f"## {subject.value}\n")
        parts.append("| code | side | what it means | what would change it | evidence |")
        parts.append("|---|---|---|---|---|")
        for code in ReasonCode:
            row = REASONS[code]
            if row.subject is subject:
                side = row.side.value if row.side is not None else "–"
                counts = ["the counts"] if "connected" in row.evidence else []
                own = [f"`{key}`" for key in row.evidence if not counts or key not in COUNTS]
                keys = ", ".join([*own, *counts])
                parts.append(f"| {code.value} | {side} | {row.meaning} | {row.next_step} | {keys} |")
        parts.append("")
    return "\n".join(parts).rstrip()
