"""Times of a peer: what the types of protobuf allow is a number, all else a refusal that names the field."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_kit.errors import Kind
from workerpool_kit.grpc.times import InvalidTime, seconds_of, unix_time_of

LARGEST, SMALLEST = (1 << 63) - 1, -(1 << 63)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Timestamp(), 0.0),
        (Timestamp(seconds=1_700_000_000, nanos=500_000_000), 1_700_000_000.5),
        (Timestamp(seconds=-62_135_596_800), -62_135_596_800.0),
        (Timestamp(seconds=253_402_300_799, nanos=999_999_999), 253_402_300_800.0),
    ],
)
def test_a_time_of_the_calendar_is_unix_seconds(message: Timestamp, expected: float) -> None:
    assert unix_time_of("deadline", message) == expected


@pytest.mark.parametrize(
    "message",
    [
        Timestamp(seconds=253_402_300_800),
        Timestamp(seconds=-62_135_596_801),
        Timestamp(seconds=LARGEST),
        Timestamp(seconds=SMALLEST),
        Timestamp(seconds=1, nanos=-1),
        Timestamp(seconds=1, nanos=1_000_000_000),
    ],
    ids=str,
)
def test_a_time_beyond_the_calendar_is_refused(message: Timestamp) -> None:
    with pytest.raises(
        InvalidTime, match=f"^deadline: {message.seconds} s and {message.nanos} ns"
    ) as refused:
        unix_time_of("deadline", message)
    assert refused.value.kind is Kind.INVALID
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Duration(), 0.0),
        (Duration(seconds=90, nanos=500_000_000), 90.5),
        (Duration(seconds=315_576_000_000), 315_576_000_000.0),
    ],
)
def test_a_duration_is_seconds(message: Duration, expected: float) -> None:
    assert seconds_of("period", message) == expected


@pytest.mark.parametrize(
    "message",
    [
        Duration(seconds=-1),
        Duration(nanos=-1),
        Duration(seconds=315_576_000_001),
        Duration(seconds=LARGEST),
        Duration(seconds=SMALLEST),
        Duration(seconds=1, nanos=1_000_000_000),
    ],
    ids=str,
)
def test_a_duration_that_is_negative_or_beyond_any_is_refused(message: Duration) -> None:
    with pytest.raises(InvalidTime, match=f"^period: {message.seconds} s and {message.nanos} ns"):
        seconds_of("period", message)
