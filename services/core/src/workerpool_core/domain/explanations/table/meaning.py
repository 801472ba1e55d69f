"""One row of the table of reasons."""

from enum import Enum
from typing import NamedTuple

from workerpool_poco.protocol.causes import Side

ITSELF = "No action is needed."
COUNTS = (
    "connected",
    "disconnected",
    "wrong_hardware",
    "tried",
    "too_small",
    "unlisted",
    "drained",
    "quarantined",
    "parked",
    "without_gas",
    "without_stake",
    "newcomers",
    "silent",
    "busy",
    "free",
)
"""Numbers of registered workers by what keeps the task from them; 0 is omitted, except for `connected`."""
FAILURE = ("cause", "exit_code", "workers", "attempts", "refund_after")
"""The evidence of every failure."""


class Subject(Enum):
    """The subject of a reason."""

    TASK = "Tasks that wait"
    FAILURE = "Tasks that failed"
    WORKER = "Workers that get no work"
    POOL = "The pool"


class Meaning(NamedTuple):
    """One row of the table.

    `side` is None when no side is at fault, or when the cause of each case decides it. `next_step` is the default of
    each case. `evidence` are the keys that a case may have.
    """

    subject: Subject
    side: Side | None
    meaning: str
    next_step: str
    evidence: tuple[str, ...] = ()
