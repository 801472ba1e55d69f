"""Formatting of values for people: dates with their age, amounts, sizes, and output of apps."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

_LAST_DATE = 253_402_300_799.0
"""The end of the year 9999 in Unix seconds, the last date of Python."""
_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
_SHORT = 18


class Moment(NamedTuple):
    """A date as ISO 8601, as text for people, and its distance from now."""

    iso: str
    text: str
    distance: str


def moment(seconds: float, now: float) -> Moment | None:
    """Return a date in Unix seconds with its distance from `now`; None for 0, which means no date."""
    if seconds <= 0:
        return None
    if seconds > _LAST_DATE:
        return Moment("9999-12-31T23:59:59Z", "without end", "")
    date = datetime.fromtimestamp(seconds, UTC).replace(microsecond=0)
    distance = f"{span(now - seconds)} ago" if seconds <= now else f"in {span(seconds - now)}"
    return Moment(f"{date:%Y-%m-%dT%H:%M:%SZ}", f"{date:%Y-%m-%d %H:%M:%S} UTC", distance)


def span(seconds: float) -> str:
    """Return a duration in its largest whole unit, such as `3 min`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"


def short(identifier: str) -> str:
    """Return the first and last characters of an id or address."""
    return identifier if len(identifier) <= _SHORT else f"{identifier[:10]}…{identifier[-6:]}"


def size(count: int) -> str:
    """Return a number of bytes in GiB or MiB."""
    gib = count / 2**30
    return f"{gib:.1f} GiB" if gib >= 1 else f"{count / 2**20:.0f} MiB"


def rlc(nrlc: int) -> str:
    """Return an amount of nRLC in RLC, without rounding."""
    return f"{_plain(Decimal(nrlc) / 10**9)} RLC"


def coins(wei: int) -> str:
    """Return an amount of wei in whole coins of the chain, without rounding."""
    return _plain(Decimal(wei) / 10**18)


def gwei(wei: int) -> str:
    """Return a price of gas in gwei, without rounding."""
    return f"{_plain(Decimal(wei) / 10**9)} gwei"


def _plain(number: Decimal) -> str:
    written = f"{number:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


class Output(NamedTuple):
    """The end of an app's output; `shortened` when there is more."""

    text: str
    shortened: bool


def tail(written: str, lines: int, characters: int) -> Output:
    """Return the last lines of an output, without terminal escape sequences."""
    plain = _ESCAPE_SEQUENCE.sub("", written)
    kept = "\n".join(plain[-characters:].splitlines()[-lines:])
    return Output(kept, len(kept) < len(plain.rstrip("\n")))
