"""Explanations: their sentences and dates."""

import pytest
from workerpool_core.domain.explanations.explanation import Explanation, utc
from workerpool_poco.protocol.causes import Side


def test_message_and_next_step_are_one_text() -> None:
    assert Explanation("It waits.", Side.POOL, "Retry.").sentences == "It waits. Retry."
    assert Explanation("It waits.").sentences == "It waits."


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
