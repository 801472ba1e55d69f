"""Dates in Unix seconds as messages and as JSON."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

LAST_DATE = 253_402_300_799.0
"""The end of the year 9999 in Unix seconds, the last date of protobuf timestamps and of Python."""


def timestamp(seconds: float) -> Timestamp:
    """Return a date in Unix seconds as a message; a date after the year 9999 becomes the end of that year."""
    nanos = int(min(max(seconds, 0.0), LAST_DATE) * 1e9)
    return Timestamp(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)


def iso_date(seconds: float) -> str:
    """Return a date in Unix seconds as ISO 8601 text in UTC with milliseconds."""
    date = datetime.fromtimestamp(min(seconds, LAST_DATE), UTC)
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
