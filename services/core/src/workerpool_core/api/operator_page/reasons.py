"""Reasons as the pages show them, the same records as in gRPC and `GET /tasks/{id}`."""

from typing import NamedTuple

from workerpool_core.api.operator_page.formatting import Moment, moment
from workerpool_core.domain.explanations.explanation import Explanation


class ShownReason(NamedTuple):
    """Why something waits or failed: a sentence, the side at fault, the evidence, and the next step.

    `side` is empty when no side is at fault; `code` and `cause` may be empty. `until` is the latest time at which it
    changes by itself.
    """

    sentence: str
    side: str = ""
    next_step: str = ""
    code: str = ""
    cause: str = ""
    evidence: tuple[tuple[str, str], ...] = ()
    until: Moment | None = None


def shown(explained: Explanation | None, now: float) -> ShownReason | None:
    """Return an explanation for a page at `now` (Unix seconds); None for None."""
    if explained is None:
        return None
    facts = explained.evidence
    if explained.exit_code is not None and "exit_code" not in dict(facts):
        facts = (*facts, ("exit_code", str(explained.exit_code)))
    code = explained.code.value if explained.code is not None else ""
    cause = explained.cause.value if explained.cause is not None else ""
    return ShownReason(
        sentence(explained.message),
        explained.side.value if explained.side is not None else "",
        explained.next_step,
        code,
        cause if cause != code else "",
        facts,
        moment(explained.until, now),
    )


def sentence(message: str) -> str:
    """Return a message with a capital letter and a full stop; empty for an empty one."""
    message = message.strip()
    ended = message.endswith((".", "!", "?")) or not message
    return f"{message[:1].upper()}{message[1:]}" + ("" if ended else ".")
