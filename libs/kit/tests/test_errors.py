"""Errors that a caller may see."""

from workerpool_kit.errors import DatabaseUnavailable, Kind, WorkerpoolError


def test_details_are_text_and_the_reason_is_that_of_the_class() -> None:
    error = DatabaseUnavailable("retry", details={"attempt": 3})
    assert (str(error), error.kind, error.reason, error.details) == (
        "retry",
        Kind.UNAVAILABLE,
        "DATABASE_UNREACHABLE",
        {"attempt": "3"},
    )


def test_reason_of_one_error_does_not_change_its_class() -> None:
    assert WorkerpoolError("x", reason="SPECIAL").reason == "SPECIAL"
    assert WorkerpoolError("x").reason == "INTERNAL"
