"""Explanations: their sentences and dates."""

from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_poco.protocol.causes import Side


def test_message_and_next_step_are_one_text() -> None:
    assert Explanation("It waits.", Side.POOL, "Retry.").sentences == "It waits. Retry."
    assert Explanation("It waits.").sentences == "It waits."
