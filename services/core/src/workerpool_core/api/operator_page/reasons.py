"""Reasons as the pages show them: the records that gRPC and `GET /tasks/{id}` answer too."""

from typing import NamedTuple

from workerpool_core.api.operator_page.words import Moment, moment
from workerpool_core.domain.explanations.explanation import Explanation


class ShownReason(NamedTuple):
    """Why something waits or failed: a sentence, whose side it is on, facts behind it, and the next step.

    `side` is empty when no side is to blame, `code` and `cause` are empty when there is none. `until` is when it
    changes by itself at the latest.
    """

    sentence: str
    side: str = ""
    next_step: str = ""
    code: str = ""
    cause: str = ""
    evidence: tuple[tuple[str, str], ...] = ()
    until: Moment | None = None


def shown(explained: Explanation | None, now: float) -> ShownReason | None:
    """Return an explanation for a page at `now` (Unix seconds); None without one."""
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
    """Return a message with a capital and a full stop; empty when it is."""
    message = message.strip()
    ended = message.endswith((".", "!", "?")) or not message
    return f"{message[:1].upper()}{message[1:]}" + ("" if ended else ".")
