"""Status updates: what the worker tells the scheduler about a replicate, and how the journal spells it."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

LOG_TAIL_CHARACTERS = 100_000
"""The scheduler keeps this much of each output stream of an app (protocol constant)."""

ERROR_MESSAGE_CHARACTERS = 4_000
"""Longest text for people; the contract allows 4,096."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction: its block number and its ``0x…`` hash; 0 and empty where unknown."""

    block_number: int = 0
    transaction_hash: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """What belongs to a status; each field only where the protocol expects it."""

    cause: ReplicateStatusCause | None = None
    receipt: Receipt | None = None
    result_link: str = ""
    callback_data: str = ""
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """A replicate entered a status. ``sequence`` rises with each update of the worker, over restarts too."""

    sequence: int
    task_id: TaskId
    status: ReplicateStatus
    details: Details = field(default_factory=Details)

    def to_json(self) -> str:
        """Return the journal's spelling."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the journal's spelling."""
        content: dict[str, Any] = json.loads(text)
        details = content["details"]
        if details["cause"] is not None:
            details["cause"] = ReplicateStatusCause(details["cause"])
        if details["receipt"] is not None:
            details["receipt"] = Receipt(**details["receipt"])
        return cls(
            content["sequence"], content["task_id"], ReplicateStatus(content["status"]), Details(**details)
        )


def tail(text: str, limit: int = LOG_TAIL_CHARACTERS) -> str:
    """Return the last ``limit`` characters of a text."""
    return text[-limit:]
