"""A page shows every part of a reason."""

import pytest
from workerpool_core.api.operator_page.reasons import sentence, shown
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C

NOW = 1_700_000_000.0


def test_every_part_of_a_reason_is_shown() -> None:
    told = Explanation(
        "the app failed",
        Side.APP,
        "Correct it.",
        C.APP_COMPUTE_FAILED,
        3,
        ReasonCode.APP_FAILED,
        (("workers", "2"),),
        NOW + 60,
    )
    found = shown(told, NOW)
    assert found is not None
    assert found[:6] == (
        "The app failed.",
        "app",
        "Correct it.",
        "APP_FAILED",
        "APP_COMPUTE_FAILED",
        (("workers", "2"), ("exit_code", "3")),
    )
    assert found.until is not None
    assert found.until.distance == "in 1 min"


def test_nothing_is_said_twice_and_absent_parts_are_empty() -> None:
    told = Explanation("it ended", exit_code=3, evidence=(("exit_code", "3"),))
    found = shown(told, NOW)
    assert found is not None
    assert found[1:] == ("", "", "", "", (("exit_code", "3"),), None)
    assert shown(None, NOW) is None


@pytest.mark.parametrize(
    ("message", "told"), [("a b", "A b."), ("Is it?", "Is it?"), ("  x.", "X."), ("", ""), ("äh", "Äh.")]
)
def test_a_message_becomes_a_sentence(message: str, told: str) -> None:
    assert sentence(message) == told
