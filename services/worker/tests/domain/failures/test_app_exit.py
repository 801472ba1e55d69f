"""The failure that an app's end means."""

from typing import Any

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatusCause as Cause
from workerpool_worker.domain.failures.app_exit import AppExit, AppFailure, ended_by, failure_of
from workerpool_worker.domain.host import SlotLimits

LIMITS = SlotLimits(1.0, 256 << 20, 10)


def failure(exit_code: int, **fields: Any) -> AppFailure | None:
    return failure_of(AppExit(exit_code, 1.0, **fields), limits=LIMITS, max_execution_s=60)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "itself"),
        ({"timed_out": True}, "time limit"),
        ({"out_of_memory": True, "timed_out": True}, "memory limit"),
        ({"disk_excess": "wrote too much", "out_of_memory": True}, "disk limit"),
        ({"error": "no such program"}, "never started"),
    ],
)
def test_a_failure_names_what_ended_the_app(fields: dict[str, Any], word: str) -> None:
    assert ended_by(AppExit(137, 1.0, **fields)) == word


def test_an_app_that_ended_well_has_no_failure() -> None:
    assert failure(0) is None


@pytest.mark.parametrize("code", [1, 2, 3, 126, 137, 143, 255, -1])
def test_any_other_exit_code_is_a_failure(code: int) -> None:
    assert failure(code) == AppFailure(Cause.APP_COMPUTE_FAILED, f"the app ended with exit code {code}", code)


@pytest.mark.parametrize("code", [0, 1, 137])
@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"timed_out": True}, Cause.APP_COMPUTE_TIMEOUT),
        ({"out_of_memory": True}, Cause.APP_OUT_OF_MEMORY),
        ({"disk_excess": "wrote too much"}, Cause.APP_DISK_LIMIT_EXCEEDED),
    ],
)
def test_a_limit_precedes_the_exit_code_and_has_the_same_code_on_all_hosts(
    code: int, fields: dict[str, Any], cause: Cause
) -> None:
    found = failure(code, **fields)
    assert found is not None
    assert (found.cause, found.exit_code) == (cause, 137)


def test_out_of_memory_names_the_limit() -> None:
    found = failure(137, out_of_memory=True)
    assert found is not None
    assert found.message == "out of memory, limit 256 MiB"


@pytest.mark.parametrize(
    ("slowed_to", "message"),
    [
        (0, "the app was killed at its time limit of 60 s"),
        (
            4 << 20,
            "the app was killed at its time limit of 60 s; the worker had slowed it to 4 MiB/s of output, "
            "so print less or to a file",
        ),
    ],
)
def test_the_time_limit_of_a_slowed_app_names_the_rate_of_its_output(slowed_to: int, message: str) -> None:
    found = failure(137, timed_out=True, slowed_to=slowed_to)
    assert found is not None
    assert found.message == message


def test_a_slowed_app_that_ends_in_time_has_no_failure() -> None:
    assert failure(0, slowed_to=4 << 20) is None


def test_an_app_that_cannot_start_names_the_reason() -> None:
    found = failure(-1, error="no such user")
    assert found == AppFailure(Cause.APP_CANNOT_START, "the app cannot be started: no such user", -1)
