"""Status updates of a replicate and their stored form."""

import json
from dataclasses import dataclass, field
from typing import Any, Self

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

LOG_TAIL_CHARACTERS = 100_000
"""Characters of each output stream in the report of an app's end (protocol constant, worker spec A.7)."""

ERROR_MESSAGE_CHARACTERS = 4_000
"""Longest error message. The contract allows 4,096 characters."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction: its block number and its `0x…` hash; 0 and empty if unknown."""

    block_number: int = 0
    transaction_hash: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """Details of a status. Each field is set only for the statuses that carry it in the protocol."""

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
    """A status that a replicate entered. `sequence` increases with each update of the worker, across restarts."""

    sequence: int
    task_id: TaskId
    status: ReplicateStatus
    details: Details = field(default_factory=Details)

    def to_json(self) -> str:
        """Return the update as stored in the journal."""
        details = fields_of(self.details)
        details["receipt"] = self.details.receipt and fields_of(self.details.receipt)
        return json.dumps(fields_of(self) | {"details": details})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the update from its stored form. Raises ValueError, KeyError or TypeError if it is damaged."""
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
    """Return the last `limit` characters of a text."""
    return text[-limit:]


def fields_of(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass with slots by name, as they are: `asdict` copies each one deeply."""
    return {name: getattr(value, name) for name in value.__slots__}
