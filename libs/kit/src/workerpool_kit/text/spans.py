"""Durations and dates as the programs of operators print them."""

from datetime import UTC, datetime

_LAST_DATE = 253_402_300_799.0
"""The end of the year 9999 in Unix seconds, the last date of Python."""


def span(seconds: float) -> str:
    """Return a duration with its two largest units, such as `2 h 5 min`; `0 s` for a negative one."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def utc(seconds: float) -> str:
    """Return a date in Unix seconds as ISO 8601 text in UTC, such as 2026-11-28T13:03:06Z."""
    return datetime.fromtimestamp(min(seconds, _LAST_DATE), UTC).isoformat(timespec="seconds")[:19] + "Z"
