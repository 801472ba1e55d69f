"""The history of a task and of its replicates as one list of events, in the order of their times."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from poolctl.domain.texts import moment

TASK = "task"
"""The `who` of events of the task itself; those of a replicate name its worker."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a history. Empty texts and None mean unknown."""

    at: str
    """ISO 8601."""
    since_start_s: float
    """Seconds since the first event of the task."""
    who: str
    status: str
    cause: str
    fault: str
    exit_code: int | None
    block: int
    transaction: str
    message: str
    next_step: str


def timeline(task: Mapping[str, Any]) -> list[Event]:
    """Return every status change of a task document and of its replicates."""
    entries = [(TASK, entry, None) for entry in task.get("history", ())] + [
        (str(replicate.get("wallet_address", "")), entry, replicate)
        for replicate in task.get("replicates", ())
        for entry in replicate.get("history", ())
    ]
    # Entries of one moment keep their order: Python's sort is stable, and the task's own come first.
    ordered = sorted(entries, key=lambda each: moment(each[1].get("date")) or 0.0)
    start = moment(ordered[0][1].get("date")) if ordered else None
    return [_event(who, entry, start or 0.0) for who, entry, _ in ordered]


def _event(who: str, entry: Mapping[str, Any], start: float) -> Event:
    receipt = entry.get("chain_receipt") or {}
    at = moment(entry.get("date"))
    return Event(
        at=entry.get("date") or "",
        since_start_s=max((at or start) - start, 0.0),
        who=who,
        status=str(entry.get("status", "")),
        cause=str(entry.get("cause", "")),
        fault=str(entry.get("fault", "")),
        exit_code=entry.get("exit_code"),
        block=int(receipt.get("block_number") or 0),
        transaction=str(receipt.get("transaction_hash") or ""),
        message=str(entry.get("message", "")),
        next_step=str(entry.get("next_step", "")),
    )


def stages(task: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield each status that a task left, with the seconds that it stayed in it."""
    history = task.get("history", ())
    for entry, following in itertools.pairwise(history):
        since, until = moment(entry.get("date")), moment(following.get("date"))
        if since is not None and until is not None:
            yield str(entry.get("status", "")), max(until - since, 0.0)
