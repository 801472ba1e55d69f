"""Durations in words, and dates."""

import pytest
from workerpool_kit.text.spans import span, utc


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7_500, "2 h 5 min"), (90_000, "1 d 1 h"), (-5, "0 s")],
)
def test_a_span_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "date"),
    [
        (1_700_000_000.7, "2023-11-14T22:13:20Z"),
        (1e30, "9999-12-31T23:59:59Z"),
        (float("inf"), "9999-12-31T23:59:59Z"),
    ],
)
def test_a_date_is_in_seconds_of_utc(seconds: float, date: str) -> None:
    assert utc(seconds) == date
