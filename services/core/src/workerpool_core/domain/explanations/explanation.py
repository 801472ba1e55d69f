"""What happened or what is awaited, in one sentence, with the side at fault and the reader's next step."""

from typing import NamedTuple

from workerpool_poco.protocol.causes import ReplicateStatusCause, Side

from workerpool_core.domain.explanations.reason_codes import ReasonCode

Evidence = tuple[tuple[str, str], ...]
"""Facts behind a sentence, as pairs of key and value."""


class Explanation(NamedTuple):
    """The text shown with a status, or the reason why a task or worker waits.

    `side` is None for progress, for which no side is at fault. `exit_code` is that of the app, None before its end.
    A reason has a `code` and `evidence`; `reasons.reason` makes one. `until` is the latest time at which it changes by
    itself (Unix seconds), 0 when nothing is due.
    """

    message: str
    side: Side | None = None
    next_step: str = ""
    cause: ReplicateStatusCause | None = None
    exit_code: int | None = None
    code: ReasonCode | None = None
    evidence: Evidence = ()
    until: float = 0.0

    @property
    def sentence(self) -> str:
        """The message as a sentence: with a capital letter and a period."""
        ended = self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."
        return f"{ended[0].upper()}{ended[1:]}"

    @property
    def sentences(self) -> str:
        """The message and the next step."""
        return f"{self.sentence} {self.next_step}".rstrip()
