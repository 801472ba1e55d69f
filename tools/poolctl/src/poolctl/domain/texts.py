"""Short texts for people: ages, times of day and ids."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workerpool_kit.text.spans import span

_SHORT_ID = 10


def moment(text: str | None) -> float | None:
    """Return Unix seconds for an ISO 8601 time of a document; None for an absent or malformed one."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def age(text: str | None, now: float) -> str:
    """Return how long ago an ISO 8601 time was; empty for an absent one."""
    then = moment(text)
    return "" if then is None else span(now - then)


def clock(text: str | None) -> str:
    """Return the time of day of an ISO 8601 time, in UTC with seconds; empty for an absent one."""
    then = moment(text)
    return "" if then is None else datetime.fromtimestamp(then, UTC).strftime("%H:%M:%S")


def short(identifier: str) -> str:
    """Return the start of a long hexadecimal id, enough to distinguish ids in a table."""
    return identifier if len(identifier) <= _SHORT_ID + 1 else f"{identifier[:_SHORT_ID]}…"


def field(document: Mapping[str, Any], *path: str) -> Any:
    """Return the value at a path of a document; None when a step is absent, as in answers of an older service."""
    value: Any = document
    for step in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value
