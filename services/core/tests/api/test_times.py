"""Dates as messages and as JSON."""

import pytest
from workerpool_core.api.times import LAST_DATE, iso_date, timestamp


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, (0, 0)),
        (1_700_000_000.5, (1_700_000_000, 500_000_000)),
        (-1.0, (0, 0)),
    ],
)
def test_a_date_is_kept_within_what_a_message_holds(seconds: float, expected: tuple[int, int]) -> None:
    message = timestamp(seconds)
    assert (message.seconds, message.nanos) == expected


def test_a_date_after_the_last_one_becomes_the_last_one() -> None:
    assert timestamp(float("inf")) == timestamp(LAST_DATE)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1_700_000_000.5, "2023-11-14T22:13:20.500Z"),
        (float("inf"), "9999-12-31T23:59:59.000Z"),
    ],
)
def test_a_date_is_in_milliseconds_of_utc(seconds: float, text: str) -> None:
    assert iso_date(seconds) == text
