"""The HTTP Range header with one range of bytes, for resuming a download (RFC 9110, section 14)."""

import re

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class RangeNotSatisfiable(ValueError):
    """The range starts after the last byte."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first and last byte, both included, or None for the whole file.

    A header that is malformed or has several ranges is ignored, as the RFC allows. Raises `RangeNotSatisfiable` when
    the range starts after the last byte.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        wanted = int(last)
        if wanted == 0:
            raise RangeNotSatisfiable
        return max(0, size - wanted), size - 1
    start = int(first)
    if start >= size:
        raise RangeNotSatisfiable
    end = min(int(last), size - 1) if last else size - 1
    return None if end < start else (start, end)
