"""Reads a .env file as Docker Compose does: one NAME=value a line."""

import re
from collections.abc import Iterator

_NAME = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<rest>.*)$")
_QUOTED = re.compile(r"(?P<quote>['\"])(?P<value>.*?)(?P=quote)\s*(?:#.*)?$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


class EnvFileError(Exception):
    """A line of the file cannot be read; the message names its number."""


def parse(text: str) -> dict[str, str]:
    """Return the variables of a .env file; a later line replaces an earlier one. Raises EnvFileError."""
    return dict(_lines(text))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _NAME.match(stripped)
        if found is None:
            raise EnvFileError(f"line {number}: expected NAME=value")
        yield found["name"], _value(found["rest"], number)


def _value(rest: str, number: int) -> str:
    if rest[:1] in {"'", '"'}:
        quoted = _QUOTED.match(rest)
        if quoted is None:
            raise EnvFileError(f"line {number}: the quote has no end")
        return quoted["value"]
    return _COMMENT.sub("", rest).strip()
