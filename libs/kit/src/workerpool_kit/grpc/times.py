"""Times and durations in messages of a peer, which may hold any 64-bit number of seconds."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from workerpool_kit import reasons
from workerpool_kit.errors import Kind, WorkerpoolError

_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_799
"""The calendar of `google.protobuf.Timestamp`: 0001-01-01 to 9999-12-31."""
_LONGEST_S = 315_576_000_000
"""The limit of `google.protobuf.Duration`: ten thousand years."""
_NANOSECONDS = 10**9


class InvalidTime(WorkerpoolError, ValueError):
    """A peer sent a time or a duration that the type of its field does not allow; the message names the field."""

    kind = Kind.INVALID
    reason = reasons.INVALID_ARGUMENT


def unix_time_of(field: str, time: Timestamp) -> float:
    """Return a time of a message in Unix seconds; 0.0 if it is unset. Raises InvalidTime, which names `field`."""
    if not _FIRST_S <= time.seconds <= _LAST_S or not 0 <= time.nanos < _NANOSECONDS:
        raise InvalidTime(
            f"{field}: {time.seconds} s and {time.nanos} ns are not a time between the years 1 and 9999"
        )
    return _seconds(time.seconds, time.nanos)


def seconds_of(field: str, duration: Duration) -> float:
    """Return a duration of a message in seconds; 0.0 if it is unset.

    No duration of this system is negative. Raises InvalidTime, which names `field`.
    """
    if not 0 <= duration.seconds <= _LONGEST_S or not 0 <= duration.nanos < _NANOSECONDS:
        raise InvalidTime(
            f"{field}: {duration.seconds} s and {duration.nanos} ns are not a duration between 0 and 10,000 years"
        )
    return _seconds(duration.seconds, duration.nanos)


def _seconds(seconds: int, nanos: int) -> float:
    return (seconds * _NANOSECONDS + nanos) / _NANOSECONDS
