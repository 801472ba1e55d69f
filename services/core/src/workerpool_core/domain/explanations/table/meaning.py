"""One row of the table of reasons."""

from enum import Enum
from typing import NamedTuple

from workerpool_poco.protocol.causes import Side

ITSELF = "Nothing is to be done."
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
"""Registered workers by what keeps the task from them. A number that is 0 is left out, but for `connected`."""
FAILURE = ("cause", "exit_code", "workers", "attempts", "refund_after")
"""What is told of every failure."""


class Subject(Enum):
    """What a reason is told of."""

    TASK = "Tasks that wait"
    FAILURE = "Tasks that failed"
    WORKER = "Workers that get no work"
    POOL = "The pool"


class Meaning(NamedTuple):
    """One row of the table.

    `side` is None when no side is to blame, or when the cause of each case decides it. `next_step` is told unless a
    case has a better one. `evidence` are the keys that may be told.
    """

    subject: Subject
    side: Side | None
    meaning: str
    next_step: str
    evidence: tuple[str, ...] = ()
